-- Synchronizes buffers without a name. Neovim's client would open all of them as `file://`, and the server
-- could not distinguish them. Here each gets an `untitled:` URI in the current directory: the settings of the
-- project there apply.

local M = {}

---@class aide.Unnamed
---@field client_id integer
---@field uri string
---@field tick? integer of the text that the server has; nil: it has none
---@field language? string
---@field is_prepared? boolean whether the buffer has its keys: a key may have sent its text before

local buffers = {} ---@type table<integer, aide.Unnamed>

---@param buf integer
---@return vim.lsp.Client?
function M.client(buf)
  local client = buffers[buf] and vim.lsp.get_client_by_id(buffers[buf].client_id)
  return client and client.initialized and not client:is_stopped() and client or nil
end

--- The URI of an attached buffer, once the server has its text as it is now.
---@param buf integer
---@return string?
function M.uri(buf)
  local own, client = buffers[buf], M.client(buf)
  if not own or not client then
    return nil
  end
  local tick, language =
    vim.api.nvim_buf_get_changedtick(buf), client.get_language_id(buf, vim.bo[buf].filetype)
  if own.tick == tick and own.language == language then
    return own.uri
  end
  local text = table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\n') .. '\n'
  local document = { uri = own.uri, version = tick }
  if own.tick and own.language == language then
    client:notify('textDocument/didChange', { textDocument = document, contentChanges = { { text = text } } })
  else
    M.close(buf)
    document.languageId, document.text = language, text
    client:notify('textDocument/didOpen', { textDocument = document })
  end
  own.tick, own.language = tick, language
  return own.uri
end

--- The URI of an attached buffer, whether or not the server has its text.
---@param buf integer
---@return string?
function M.name(buf)
  return buffers[buf] and buffers[buf].uri
end

--- The version that the server has.
---@param buf integer
---@return integer?
function M.version(buf)
  return buffers[buf] and buffers[buf].tick
end

---@package
---@param buf integer
function M.close(buf)
  local own, client = buffers[buf], M.client(buf)
  if own and own.tick and client then
    client:notify('textDocument/didClose', { textDocument = { uri = own.uri } })
  end
end

---@param client_id integer
---@param buf integer
function M.attach(client_id, buf)
  local path = vim.fs.joinpath(vim.fn.getcwd(), 'Untitled-' .. buf)
  buffers[buf] = { client_id = client_id, uri = vim.uri_from_fname(path):gsub('^file://', 'untitled:') }
  M.open(client_id)
end

--- Open the buffers that were attached before the server was ready for them.
---@param client_id integer
function M.open(client_id)
  for buf, own in pairs(buffers) do
    local client = own.client_id == client_id and not own.is_prepared and M.client(buf)
    if client and M.uri(buf) then
      own.is_prepared = true
      require('aide.client').welcome(client, buf)
    end
  end
end

---@param buf integer
---@return boolean was_attached
function M.detach(buf)
  M.close(buf)
  local was_attached = buffers[buf] ~= nil
  buffers[buf] = nil
  return was_attached
end

--- Forget a server that has ended. Returns the buffers it had.
---@param client_id integer
---@return integer[]
function M.release(client_id)
  local released = {}
  for buf, own in pairs(buffers) do
    if own.client_id == client_id then
      table.insert(released, buf)
    end
  end
  for _, buf in ipairs(released) do
    buffers[buf] = nil
  end
  return released
end

return M
