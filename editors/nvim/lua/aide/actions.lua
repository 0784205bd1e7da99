-- What the subcommands of `:Aide` do. The server does the work; here its answers are shown.

local requests = require('aide.requests')

local M = {}

--- Run a command that generates a completion, and show it.
---@param command string
local function show(command)
  requests.run_here(command, nil, function(result, place)
    requests.show_message(result.message, result.reason)
    require('aide.completion').show_again(place)
  end)
end

function M.regenerate()
  show('aide.regenerate')
end

function M.previous()
  show('aide.previousSeed')
end

function M.explain()
  local item = require('aide.completion').item()
  local generated = item and item.command and item.command.arguments[1] or {}
  local argument =
    { seed = generated.seed, candidate = generated.candidate, parameters = generated.parameters }
  requests.run_here('aide.explain', argument, function(answer)
    if answer.html then
      return require('aide.report').open_page(answer.html)
    end
    requests.show_message(answer.message) -- as for other reports, also if the user went on
  end)
end

function M.pin()
  requests.run_here('aide.pinSeed', nil, function(result)
    requests.show_message(result.message)
  end)
end

function M.unpin()
  requests.run('aide.unpinSeed')
end

---@param name string
function M.preset(name)
  requests.run('aide.choosePreset', { preset = name == 'none' and vim.NIL or name })
end

---@param id string
function M.model(id)
  requests.run_anywhere('aide.selectModel', { model = id == 'default' and vim.NIL or id })
end

function M.pause()
  requests.run_anywhere('aide.pause')
end

function M.resume()
  requests.run_anywhere('aide.resume')
end

--- Pause for some minutes.
---@param minutes? string
function M.snooze(minutes)
  local number = tonumber(minutes or 5)
  if not number or number < 1 or number > 24 * 60 then
    return require('aide.message').warn('Aide: "snooze" takes minutes from 1 to 1440, such as 15.')
  end
  requests.run_anywhere('aide.snooze', { minutes = math.floor(number) })
end

---@param scope? 'file'|'language'
---@param off boolean
local function set_off(scope, off)
  requests.run('aide.setOff', { scope = scope, off = off })
end

---@param scope? string
function M.off(scope)
  set_off(scope == 'language' and 'language' or 'file', true)
end

--- Without a scope: whichever of the two turned completions off here.
---@param scope? string
function M.on(scope)
  set_off(scope and (scope == 'language' and 'language' or 'file'), false)
end

function M.settings()
  requests.run_anywhere('aide.settings', nil, function(answer)
    require('aide.report').open('settings', require('aide.settings_report').lines(answer.text))
  end)
end

function M.status()
  local report, buf = require('aide.report'), vim.api.nvim_get_current_buf()
  local reason = require('aide.availability').silence(buf)
  if not require('aide.client').any(buf) then
    return report.open('status', { { { 'Here         ', 'Identifier' }, { reason, 'WarningMsg' } } })
  end
  local off = require('aide.status').document(buf)
  requests.run_anywhere('aide.status', nil, function(answer)
    report.open('status', report.state(answer, require('aide.status').here(buf), reason, off))
  end)
end

function M.log()
  local lines = require('aide.log').all()
  if #lines == 0 then
    lines = { 'The server has not logged anything yet.' }
  end
  table.insert(lines, 'Neovim logs what servers write to stderr to ' .. require('vim.lsp.log').get_filename())
  require('aide.report').open('log', lines, { filetype = 'log' })
  vim.cmd('normal! G')
end

function M.restart()
  require('aide.restart').reset()
  local client = require('aide.client')
  local attached = client.any(0)
  if attached then
    return require('aide.restart').on_purpose(attached)
  end
  client.attach(vim.api.nvim_get_current_buf())
  if not client.of(0) then
    require('aide.message').warn(require('aide.availability').reason(0))
  end
end

return M
