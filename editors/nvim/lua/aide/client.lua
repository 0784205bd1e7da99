-- Finds the language server of a buffer, attaches it, and runs its commands.

local message = require('aide.message')
local unnamed = require('aide.unnamed')

local waiting = {} ---@type fun(client: vim.lsp.Client)[]

local M = {}

--- Whether Aide completes in a buffer: in files, and in what can become one. What plugins open for a prompt,
--- in a floating window or not listed, is neither.
---@param buf integer
---@return boolean
function M.is_eligible(buf)
  local kind, is_named = vim.bo[buf].buftype, vim.api.nvim_buf_get_name(buf) ~= ''
  if not vim.api.nvim_buf_is_loaded(buf) or not vim.bo[buf].modifiable then
    return false
  elseif kind == '' and is_named then
    return true
  end
  local can_be_saved = kind == '' or (kind == 'acwrite' and is_named)
  return can_be_saved and vim.bo[buf].buflisted and not M.is_floating(buf)
end

---@package
---@param buf integer
---@return boolean
function M.is_floating(buf)
  local window = vim.fn.bufwinid(buf)
  return window ~= -1 and vim.api.nvim_win_get_config(window).relative ~= ''
end

--- The project's folder; without a root marker, the file's own. For a buffer that names no file: that of the
--- current directory.
---@param buf integer
---@return string
function M.root(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  local is_file = name ~= '' and not name:find('^%a[%w+.-]+://')
  local folder = is_file and vim.fs.dirname(name) or vim.fn.getcwd()
  return vim.fs.root(folder, vim.lsp.config.aide.root_markers) or folder
end

--- The server attached to a buffer.
---@param buf integer
---@return vim.lsp.Client?
function M.of(buf)
  buf = buf == 0 and vim.api.nvim_get_current_buf() or buf
  return vim.lsp.get_clients({ name = 'aide', bufnr = buf })[1] or unnamed.client(buf)
end

--- The server attached to a buffer or, without one, any that runs.
---@param buf integer
---@return vim.lsp.Client?
function M.any(buf)
  return M.of(buf) or vim.lsp.get_clients({ name = 'aide' })[1]
end

--- Call a function with a server: that of the current buffer, any other that runs, or one that is started for
--- it. If none can be started, say why.
---@param on_client fun(client: vim.lsp.Client)
function M.with_any(on_client)
  local buf = vim.api.nvim_get_current_buf()
  local client = M.any(buf)
  if client then
    return on_client(client)
  end
  local reason = require('aide.availability').no_server()
  if reason then
    return message.warn(reason)
  end
  table.insert(waiting, on_client)
  local config = vim.deepcopy(vim.lsp.config.aide)
  config.root_dir = M.root(buf)
  vim.lsp.start(config, { bufnr = buf, reuse_client = config.reuse_client, attach = false })
end

--- Serve those who wait for a server. Without one: it has ended, and they do not wait any longer.
---@param client? vim.lsp.Client
function M.started(client)
  local callbacks = waiting
  waiting = {}
  for _, callback in ipairs(client and callbacks or {}) do
    callback(client)
  end
end

--- Attach the server to a buffer that Neovim did not attach it to: without a name, without a file type, or
--- after a crash.
---@param buf integer
function M.attach(buf)
  if not vim.lsp.is_enabled('aide') or M.of(buf) or not M.is_eligible(buf) or not M.is_installed() then
    return
  end
  local config = vim.deepcopy(vim.lsp.config.aide)
  config.root_dir = M.root(buf)
  local is_named = vim.api.nvim_buf_get_name(buf) ~= ''
  local options = { bufnr = buf, reuse_client = config.reuse_client, attach = is_named }
  local client_id = vim.lsp.start(config, options)
  if client_id and not is_named then
    unnamed.attach(client_id, buf)
  end
end

--- Prepare a buffer that was attached.
---@param client vim.lsp.Client
---@param buf integer
function M.welcome(client, buf)
  M.add_folder(client, buf)
  require('aide.keys').map(buf)
  require('aide.completion').retry()
end

--- Detach a buffer whose name changes.
---@param buf integer
function M.detach(buf)
  local client = M.of(buf)
  if client and not unnamed.detach(buf) then
    vim.lsp.buf_detach_client(buf, client.id)
  end
end

--- Whether the server is installed; if not, offer to install it.
---@return boolean
function M.is_installed()
  local is_there = require('aide.process').is_installed()
  if not is_there then
    require('aide.install').offer()
  end
  return is_there
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

--- The URI by which the server knows a buffer.
---@param buf integer
---@return string
function M.uri(buf)
  return unnamed.uri(buf) or vim.uri_from_bufnr(buf)
end

--- The version of a buffer's text that the server has.
---@param buf integer
---@return integer?
function M.version(buf)
  return unnamed.version(buf) or vim.lsp.util.buf_versions[buf]
end

--- A place as an argument of the protocol.
---@param client vim.lsp.Client
---@param buf integer
---@param row integer from 0
---@param column integer bytes before it
function M.place(client, buf, row, column)
  local line = vim.api.nvim_buf_get_lines(buf, row, row + 1, false)[1] or ''
  local character = vim.str_utfindex(line, client.offset_encoding, math.min(column, #line), false)
  return { uri = M.uri(buf), position = { line = row, character = character } }
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

--- Ask before a project file is created for a file that belongs to no project.
---@package
---@param question string
---@param on_yes fun()
function M.confirm(question, on_yes)
  require('aide.question').ask({ 'Create it', 'Cancel' }, question, tostring, function(choice)
    if choice == 'Create it' then
      on_yes()
    end
  end)
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
    local answer = require('aide.json').without_nulls(result)
    if err then
      message.warn('Aide: ' .. err.message)
    elseif type(answer) == 'table' and answer.confirm then
      M.confirm(answer.message, function()
        M.request(client, buf, command, vim.tbl_extend('force', argument, { create = true }), on_result)
      end)
    elseif on_result then
      on_result(answer)
    end
  end, buf)
end

return M
