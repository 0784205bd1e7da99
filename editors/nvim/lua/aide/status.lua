-- The server's state (`aide/status`), and a short text of it for the statusline.

local M = {}

local STATES = { missing = 'no model' }
local STATES_OF_SERVER = { failed = 'no answer' }
local REASONS = {
  ['nothing-to-add'] = 'nothing to add',
  ['only-whitespace'] = 'nothing to add',
  ['repeats-suffix'] = 'nothing to add',
  ['does-not-fit'] = 'nothing fits',
  ['low-confidence'] = 'not sure enough',
  timeout = 'too slow here',
  ['too-large'] = 'text too large',
  ['long-line'] = 'line too long',
  ['empty-file'] = 'empty file',
  off = 'off here',
  ['settings-file'] = 'press Ctrl+X Ctrl+O',
  ['unknown-document'] = 'reopen the file',
  error = 'failed, see :Aide log',
}

local states = {} ---@type table<integer, table> by client

--- Take a new state.
---@param client_id integer
---@param status table
function M.receive(client_id, status)
  local before = states[client_id]
  status = require('aide.json').without_nulls(status)
  states[client_id] = status
  require('aide.unnamed').open(client_id)
  require('aide.client').started(vim.lsp.get_client_by_id(client_id))
  vim.api.nvim_exec_autocmds('User', { pattern = 'AideStatus', data = status })
  vim.cmd.redrawstatus({ bang = true })
  require('aide.install').follow(status, before)
  if status.state == 'ready' and (not before or before.state ~= 'ready') then
    require('aide.completion').retry()
    require('aide.cursor').again()
  -- What a server's failure is, the language server says itself, once.
  elseif status.state == 'failed' and not status.server and (not before or before.state ~= 'failed') then
    require('aide.message').warn('Aide: ' .. (status.message or 'The model could not be loaded.'))
  end
end

---@param client_id integer
function M.forget(client_id)
  states[client_id] = nil
  vim.cmd.redrawstatus({ bang = true })
end

--- The state of the server attached to a buffer.
---@param buf integer
---@return table?
function M.of(buf)
  local client = require('aide.client').of(buf)
  return client and states[client.id]
end

--- That state without what is about another document.
---@param buf integer
---@return table?
function M.here(buf)
  local status = M.of(buf)
  if not status then
    return nil
  end
  local uri, own = require('aide.unnamed').name(buf) or vim.uri_from_bufnr(buf), {}
  for key, value in pairs(status) do
    if type(value) ~= 'table' or value.uri == nil or value.uri == uri then
      own[key] = value
    end
  end
  own.busy = status.busy and own.document ~= nil
  return own
end

--- What is in effect in a buffer, as far as the server has said so; empty: it has not.
---@param buf integer
---@return table
function M.document(buf)
  return (M.here(buf) or {}).document or {}
end

--- The state of a server.
---@param client_id integer
---@return table?
function M.latest(client_id)
  return states[client_id]
end

--- Why nothing is offered, shortly; nil: for no reason worth a word.
---@param status table
---@return string?
local function reason(status)
  local document, nothing = status.document or {}, status.nothing or {}
  if document.off then
    return 'off here'
  elseif nothing.reason then
    return REASONS[nothing.reason]
  elseif #(document.problems or {}) > 0 then
    return 'problem with settings'
  end
end

--- What to say where no server is attached.
---@return string
local function without_server()
  local install = package.loaded['aide.install'] -- not loaded for this alone
  if install and install.state() then
    return 'Aide: installing'
  end
  local restart = package.loaded['aide.restart']
  return restart and restart.has_given_up() and 'Aide: stopped' or ''
end

--- A server in words: its host and what it is, once it has said so.
---@param server table
---@return string
function M.server_text(server)
  return server.engine == 'server' and server.host or ('%s (%s)'):format(server.host, server.engine)
end

--- Aide's name, with the machine that text is sent to.
---@param status table
---@return string
local function name(status)
  local server = status.server
  return server and not server.loopback and ('Aide (%s)'):format(server.host) or 'Aide'
end

--- A short text for the statusline.
---@return string
function M.line()
  local status = M.here(vim.api.nvim_get_current_buf())
  if not status then
    return without_server()
  elseif status.state == 'starting' or status.state == 'loading' then
    return 'Aide: loading' .. (status.percent and (' %d%%'):format(status.percent) or '')
  elseif status.state ~= 'ready' then
    return name(status)
      .. ': '
      .. (status.server and STATES_OF_SERVER[status.state] or STATES[status.state] or status.state)
  elseif vim.fn.reg_recording() ~= '' then
    return name(status) .. ': not while recording'
  elseif status.busy then
    return name(status) .. ': …'
  elseif status.shown and require('aide.completion').is_shown() then
    return ('%s: seed %d%s'):format(
      name(status),
      status.shown.seed,
      status.shown.pinned and ' (pinned)' or ''
    )
  end
  local why = reason(status)
  return name(status) .. (why and ': ' .. why or '')
end

return M
