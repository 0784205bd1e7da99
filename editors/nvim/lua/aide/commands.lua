-- The subcommands of `:Aide`, one record each. What they do is in `actions.lua` and in modules of their own.

local requests = require('aide.requests')

local M = {}

---@class aide.Command
---@field name string
---@field desc string one line
---@field several? string what arguments it takes, if several; `run` then gets a list
---@field run? fun(argument?: any) if not in `actions.lua` under its name
---@field list? 'presets'|'complaints'|'models' what its argument is from
---@field prompt? string for the user to choose an argument from the list
---@field more? string[] other values of its argument, or all of them without a list

---@type aide.Command[]
M.commands = {
  { name = 'regenerate', desc = 'Generate another completion here, with a new seed' },
  { name = 'previous', desc = 'Go back to the previous completion' },
  { name = 'pin', desc = 'Write the seed of the current completion to the project file' },
  { name = 'unpin', desc = 'Remove the seed from the project file' },
  {
    name = 'preset',
    desc = 'Choose a preset for this project',
    list = 'presets',
    prompt = 'Preset for this project',
    more = { 'none' },
  },
  {
    name = 'troubleshoot',
    desc = 'Say what is wrong with the completions, and see what to change',
    list = 'complaints',
    prompt = 'What is wrong?',
    run = function(complaint)
      require('aide.troubleshoot').run(complaint)
    end,
  },
  {
    name = 'compare',
    desc = 'Show the completions here for a few temperatures and seeds',
    several = 'temperatures between 0 and 1',
    run = function(temperatures)
      require('aide.compare').run(temperatures)
    end,
  },
  { name = 'explain', desc = 'Open a page that shows how the completion came about' },
  { name = 'settings', desc = 'Show every setting in effect here, and where it comes from' },
  { name = 'model', desc = 'Choose a model', list = 'models', prompt = 'Model', more = { 'default' } },
  { name = 'pause', desc = 'Turn completions off' },
  { name = 'resume', desc = 'Turn completions on again' },
  { name = 'snooze', desc = 'Turn completions off for some minutes', more = { '5', '15', '60' } },
  { name = 'off', desc = 'Turn completions off for this file or language', more = { 'file', 'language' } },
  { name = 'on', desc = 'Turn them on again for this file or language', more = { 'file', 'language' } },
  { name = 'status', desc = 'Show the complete state' },
  { name = 'log', desc = "Show the server's latest log lines" },
  { name = 'restart', desc = 'Restart the server' },
  {
    name = 'install',
    desc = 'Install the language server or its model; with "cancel", stop that',
    more = { 'cancel' },
    run = function(argument)
      require('aide.install')[argument == 'cancel' and 'cancel' or 'complete']()
    end,
  },
}

local function find(name)
  for _, command in ipairs(M.commands) do
    if command.name == name then
      return command
    end
  end
end

local function refuse(text)
  require('aide.message').warn('Aide: ' .. text)
end

--- Run `:Aide ...`.
---@param arguments string[]
function M.run(arguments)
  local command = find(arguments[1] or 'status')
  if not command then
    local names = table.concat(M.names(), ', ')
    return refuse(('there is no command "%s". The commands are %s.'):format(arguments[1], names))
  end
  if command.several then
    return command.run(vim.list_slice(arguments, 2))
  end
  local takes = (command.list or command.more) and 1 or 0
  if #arguments - 1 > takes then
    return refuse(('"%s" takes %s.'):format(command.name, takes == 1 and 'one argument' or 'no argument'))
  end
  local run = command.run or require('aide.actions')[command.name]
  if command.list and not arguments[2] then
    return requests.choose(command.list, command.prompt, run)
  end
  run(arguments[2])
end

--- Complete `:Aide ...`.
---@param line string up to the cursor
---@return string[]
function M.complete(line)
  local words = vim.split(line, '%s+')
  local names, typed = M.names(), words[2] or ''
  if #words > 2 then
    local command = find(words[2])
    local takes = #words == 3 and command or {}
    names = vim.list_extend(takes.list and requests.names(takes.list) or {}, takes.more or {})
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
