-- The server's state (`aide/status`), and a short text of it for the statusline.

local M = {}

local states = {} ---@type table<integer, table> by client

--- Take a new state.
---@param client_id integer
---@param status table
function M.receive(client_id, status)
  local before = states[client_id]
  status = require('aide.json').without_nulls(status)
  states[client_id] = status
  require('aide.unnamed').open(client_id)
  vim.api.nvim_exec_autocmds('User', { pattern = 'AideStatus', data = status })
  vim.cmd.redrawstatus({ bang = true })
  require('aide.install').follow(status, before)
  if status.state == 'ready' and (not before or before.state ~= 'ready') then
    require('aide.completion').retry()
  elseif status.state == 'failed' and (not before or before.state ~= 'failed') then
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

--- The state of a server.
---@param client_id integer
---@return table?
function M.latest(client_id)
  return states[client_id]
end

--- A short text for the statusline.
---@return string
function M.line()
  local status = M.of(vim.api.nvim_get_current_buf())
  if not status then
    local install = package.loaded['aide.install'] -- not loaded for this alone
    return install and install.state() and 'Aide: installing' or ''
  end
  if status.state == 'starting' or status.state == 'loading' then
    return 'Aide: loading' .. (status.percent and (' %d%%'):format(status.percent) or '')
  elseif status.state == 'missing' then
    return 'Aide: no model'
  elseif status.state ~= 'ready' then
    return 'Aide: ' .. status.state
  elseif status.busy then
    return 'Aide: …'
  elseif status.shown then
    return ('Aide: seed %d%s'):format(status.shown.seed, status.shown.pinned and ' (pinned)' or '')
  elseif status.nothing and status.nothing.reason == 'off' then
    return 'Aide: off here'
  end
  return 'Aide'
end

return M
