-- The subcommands of `:Aide`, one record each. The server does the work; here its answers are shown.

local requests = require('aide.requests')

local M = {}

---@class aide.Command
---@field name string
---@field desc string one line
---@field run fun(argument?: string)
---@field list? 'presets'|'complaints'|'models' what its argument is from
---@field more? string[] other values of its argument

--- Run a command that generates a completion, and show it.
local function show(command)
  requests.run_here(command, nil, function(result, place)
    if result.insertText == '' then
      requests.show_message(result.message)
    end
    require('aide.completion').show_again(place)
  end)
end

local function explain()
  local item = require('aide.completion').item()
  local generated = item and item.command and item.command.arguments[1] or {}
  local argument =
    { seed = generated.seed, candidate = generated.candidate, parameters = generated.parameters }
  requests.run_here('aide.explain', argument, function(answer)
    if answer.html then
      return require('aide.report').open_page(answer.html)
    end
    requests.show_message(answer.message)
  end)
end

--- Show a proposal with both completions, and write it to the project file if the user agrees.
local function troubleshoot(complaint)
  requests.run_here('aide.troubleshoot', { complaint = complaint }, function(answer, place)
    local report = require('aide.report')
    if not answer.before then
      return requests.show_message(answer.message)
    end
    report.open('troubleshoot ' .. complaint, report.proposal(answer))
    if not next(answer.changes) then
      return
    end
    vim.cmd.redraw()
    vim.ui.select({ 'Apply to this project', 'Leave as is' }, { prompt = 'Aide:' }, function(_, index)
      if index == 1 then
        local again = { complaint = complaint, seed = answer.before.parameters.seed, apply = true }
        requests.run_at(place, 'aide.troubleshoot', again, function(applied)
          requests.show_message(report.applied(applied))
        end)
      end
    end)
  end)
end

local function choose_preset(name)
  requests.run('aide.choosePreset', { preset = name == 'none' and vim.NIL or name })
end

local function select_model(id)
  requests.run('aide.selectModel', { model = id == 'default' and vim.NIL or id })
end

--- Run with the argument or, without one, with what the user chooses.
local function choosing(list, prompt, run)
  return function(argument)
    if argument then
      return run(argument)
    end
    requests.choose(list, prompt, run)
  end
end

--- Run a command of the server and show its message.
local function simply(command)
  return function()
    requests.run(command)
  end
end

local function pin()
  requests.run_here('aide.pinSeed', nil, function(result)
    requests.show_message(result.message)
  end)
end

local function show_settings()
  requests.run('aide.settings', nil, function(answer)
    require('aide.report').open('settings', answer.text)
  end)
end

local function show_status()
  local buf = vim.api.nvim_get_current_buf()
  requests.run('aide.status', nil, function(answer)
    local report = require('aide.report')
    report.open('status', report.state(answer, require('aide.status').of(buf)))
  end)
end

local function show_log()
  local lines = require('aide.log').all()
  if #lines == 0 then
    lines = { 'The server has not logged anything yet.' }
  end
  table.insert(lines, 'Neovim logs what servers write to stderr to ' .. require('vim.lsp.log').get_filename())
  require('aide.report').open('log', lines, 'log')
  vim.cmd('normal! G')
end

local function restart()
  require('aide.restart').reset()
  local client = require('aide.client')
  local attached = client.of(0)
  if not attached then
    return client.attach(vim.api.nvim_get_current_buf())
  end
  require('aide.restart').on_purpose(attached)
end

---@type aide.Command[]
M.commands = {
  {
    name = 'regenerate',
    desc = 'Generate another completion here, with a new seed',
    run = function()
      show('aide.regenerate')
    end,
  },
  {
    name = 'previous',
    desc = 'Go back to the previous completion',
    run = function()
      show('aide.previousSeed')
    end,
  },
  { name = 'pin', desc = 'Write the seed of the current completion to the project file', run = pin },
  { name = 'unpin', desc = 'Remove the seed from the project file', run = simply('aide.unpinSeed') },
  {
    name = 'preset',
    desc = 'Choose a preset for this project',
    list = 'presets',
    more = { 'none' },
    run = choosing('presets', 'Preset for this project', choose_preset),
  },
  {
    name = 'troubleshoot',
    desc = 'Say what is wrong with the completions, and see what to change',
    list = 'complaints',
    run = choosing('complaints', 'What is wrong?', troubleshoot),
  },
  { name = 'explain', desc = 'Open a page that shows how the completion came about', run = explain },
  {
    name = 'settings',
    desc = 'Show every setting in effect here, and where it comes from',
    run = show_settings,
  },
  {
    name = 'model',
    desc = 'Choose a model',
    list = 'models',
    more = { 'default' },
    run = choosing('models', 'Model', select_model),
  },
  { name = 'pause', desc = 'Turn completions off', run = simply('aide.pause') },
  { name = 'resume', desc = 'Turn completions on again', run = simply('aide.resume') },
  { name = 'status', desc = 'Show the complete state', run = show_status },
  { name = 'log', desc = "Show the server's latest log lines", run = show_log },
  { name = 'restart', desc = 'Restart the server', run = restart },
}

local function find(name)
  for _, command in ipairs(M.commands) do
    if command.name == name then
      return command
    end
  end
end

--- Run `:Aide ...`.
---@param arguments string[]
function M.run(arguments)
  local command = find(arguments[1] or 'status')
  if not command then
    vim.notify(
      ('Aide has no command "%s". Its commands: %s.'):format(arguments[1], table.concat(M.names(), ', ')),
      vim.log.levels.WARN
    )
  elseif #arguments > (command.list and 2 or 1) then
    vim.notify(
      ('Aide: "%s" takes %s.'):format(command.name, command.list and 'one argument' or 'no argument'),
      vim.log.levels.WARN
    )
  else
    command.run(arguments[2])
  end
end

--- Complete `:Aide ...`.
---@param line string up to the cursor
---@return string[]
function M.complete(line)
  local words = vim.split(line, '%s+')
  local names, typed = M.names(), words[2] or ''
  if #words > 2 then
    local command = find(words[2])
    local list = #words == 3 and command and command.list
    names = list and vim.list_extend(requests.names(list), command.more or {}) or {}
    typed = words[3]
  end
  return vim.tbl_filter(function(name)
    return vim.startswith(name, typed)
  end, names)
end

---@return string[]
function M.names()
  return vim.tbl_map(function(command)
    return command.name
  end, M.commands)
end

return M
