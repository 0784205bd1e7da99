-- Says in a sentence why Aide is not active in a buffer.

local M = {}

local KINDS = {
  terminal = 'a terminal',
  help = 'a help page',
  quickfix = 'the quickfix list',
  prompt = 'a prompt',
  nofile = 'not a file',
  nowrite = 'not a file',
}

--- Why no server runs; nil if one does, or is about to.
---@return string?
local function server_reason()
  if not vim.lsp.is_enabled('aide') then
    return 'Aide is turned off in your configuration; :lua vim.lsp.enable("aide") turns it on for now.'
  end
  if not require('aide.process').is_installed() then
    return require('aide.install').state()
      or ('The language server "%s" was not found. :Aide install installs it.'):format(
        require('aide.process').command()[1]
      )
  end
  if require('aide.restart').has_given_up() then
    return 'The language server kept exiting. :Aide log may say why; :Aide restart tries again.'
  end
end

--- Why Aide is not active in a buffer.
---@param buf integer
---@return string
function M.reason(buf)
  buf = buf == 0 and vim.api.nvim_get_current_buf() or buf
  local reason = server_reason()
  if reason then
    return reason
  end
  if vim.bo[buf].buftype ~= '' and vim.bo[buf].buftype ~= 'acwrite' then
    return ('Aide completes in files only, and this is %s.'):format(KINDS[vim.bo[buf].buftype] or 'not one')
  elseif not vim.bo[buf].modifiable then
    return 'Aide offers nothing here: this buffer cannot be changed.'
  elseif not require('aide.client').is_eligible(buf) then
    return 'Aide offers nothing here: this buffer belongs to a plugin.'
  end
  return 'Aide is not active in this file yet: the language server is starting.'
end

--- Why nothing is offered in a buffer, attached or not; nil: completions are offered.
---@param buf integer
---@return string?
function M.silence(buf)
  local client = require('aide.client')
  if client.of(buf) and vim.fn.reg_recording() ~= '' then
    return 'Aide offers nothing while a macro is recorded; q ends the recording.'
  end
  return not (client.of(buf) and client.is_eligible(buf)) and M.reason(buf) or nil
end

--- Why no server can be started for a command; nil if one can.
---@return string?
function M.no_server()
  return server_reason()
end

return M
