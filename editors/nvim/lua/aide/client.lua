-- Finds the language server of a buffer, attaches it, and runs its commands.

local message = require('aide.message')

local M = {}

local told_missing = false

--- Whether Aide completes in a buffer: only in files with a name.
---@param buf integer
---@return boolean
function M.is_eligible(buf)
  return vim.api.nvim_buf_is_loaded(buf)
    and vim.bo[buf].buftype == ''
    and vim.bo[buf].modifiable
    and vim.api.nvim_buf_get_name(buf) ~= ''
end

--- The project's folder; without a root marker, the file's own.
---@param buf integer
---@return string
function M.root(buf)
  local markers = vim.lsp.config.aide.root_markers
  return vim.fs.root(buf, markers) or vim.fs.dirname(vim.api.nvim_buf_get_name(buf))
end

--- The server attached to a buffer.
---@param buf integer
---@return vim.lsp.Client?
function M.of(buf)
  return vim.lsp.get_clients({ name = 'aide', bufnr = buf })[1]
end

--- Attach the server to a buffer that Neovim did not attach it to: after a crash, or without a file type.
---@param buf integer
function M.attach(buf)
  if not vim.lsp.is_enabled('aide') or M.of(buf) or not M.is_eligible(buf) then
    return
  end
  if not M.is_installed() then
    return
  end
  local config = vim.deepcopy(vim.lsp.config.aide)
  config.root_dir = M.root(buf)
  vim.lsp.start(config, { bufnr = buf, reuse_client = config.reuse_client })
end

--- Whether the server is installed; if not, show once how to install it.
---@return boolean
function M.is_installed()
  local process = require('aide.process')
  if not process.is_installed() and not told_missing then
    told_missing = true
    message.warn(
      ('Aide: the language server "%s" was not found. Install it with: %s. Then reopen the file.'):format(
        process.command()[1],
        process.installation()
      )
    )
  end
  return process.is_installed()
end

--- Add a buffer's project to the server's workspace folders: one server handles them all.
---@param client vim.lsp.Client
---@param buf integer
function M.add_folder(client, buf)
  local root = M.root(buf)
  local folder = { uri = vim.uri_from_fname(root), name = root }
  for _, known in ipairs(client.workspace_folders or {}) do
    if known.uri == folder.uri then
      return
    end
  end
  client.workspace_folders = client.workspace_folders or {}
  table.insert(client.workspace_folders, folder)
  client:notify('workspace/didChangeWorkspaceFolders', { event = { added = { folder }, removed = {} } })
end

--- A place as an argument of the protocol.
---@param client vim.lsp.Client
---@param buf integer
---@param row integer from 0
---@param column integer bytes before it
function M.place(client, buf, row, column)
  local line = vim.api.nvim_buf_get_lines(buf, row, row + 1, false)[1] or ''
  local character = vim.str_utfindex(line, client.offset_encoding, math.min(column, #line), false)
  return { uri = vim.uri_from_bufnr(buf), position = { line = row, character = character } }
end

--- Run one of the server's commands for a buffer. An error is shown in the server's words.
---@param buf integer
---@param command string such as `aide.regenerate`
---@param argument table
---@param on_result? fun(result: any)
function M.run(buf, command, argument, on_result)
  local client = M.of(buf)
  if client then
    M.request(client, buf, command, argument, on_result)
  else
    message.warn(require('aide.availability').reason(buf))
  end
end

--- Run one of the commands of a server.
---@param client vim.lsp.Client
---@param buf integer
---@param command string
---@param argument table
---@param on_result? fun(result: any)
function M.request(client, buf, command, argument, on_result)
  -- An empty Lua table would be sent as a list.
  local params = { command = command, arguments = { next(argument) and argument or vim.empty_dict() } }
  client:request('workspace/executeCommand', params, function(err, result)
    if err then
      message.warn('Aide: ' .. err.message)
    elseif on_result then
      on_result(require('aide.json').without_nulls(result))
    end
  end, buf)
end

return M
