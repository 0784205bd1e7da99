-- Installs the server on request, or offers it once if it is missing; then starts it, shows how far the
-- download of the model is, and says which key to press.

local environment = require('aide.environment')
local message = require('aide.message')
local progress = require('aide.progress')
local question = require('aide.question')

local M = {}

-- What is downloaded, in GB: packages, most of all the runtime of the model; and the default model.
M.SERVER_GB, M.MODEL_GB = 0.3, 0.5

---@class aide.Installation
---@field process? vim.SystemObj
---@field step string
---@field detail string the latest line of its output
---@field since integer
---@field canceled boolean
---@field is_update boolean nobody asked for it

local running ---@type aide.Installation?
local offered = false
local checked = false -- whether the plugin was updated
local is_first_run = false -- whether to say what to press when the model has loaded

local function log(text)
  require('aide.log').add({ type = 3, message = text })
end

local function declined()
  return vim.fs.joinpath(environment.folder(), 'declined')
end

--- Whether the question was answered with "Not now", today or earlier.
---@return boolean
function M.is_declined()
  return vim.uv.fs_stat(declined()) ~= nil
end

--- What the installation is at, in a sentence; nil if there is none.
---@return string?
function M.state()
  return running and ('The language server is being installed: %s.'):format(running.step)
end

--- Show what is done, at the end of its latest line and for how long.
local function draw()
  if not running then
    return progress.show(nil)
  end
  local seconds = math.floor((vim.uv.now() - running.since) / 1000)
  local text = ('Aide: %s  %d:%02d'):format(running.step, math.floor(seconds / 60), seconds % 60)
  local room = math.min(vim.o.columns, 100) - #text - 5
  local detail = running.detail:sub(1, math.max(room, 0))
  progress.show(detail ~= '' and ('%s  %s'):format(text, detail) or text)
  vim.cmd.redrawstatus({ bang = true })
end

--- The environment of a program that installs.
local function variables()
  local env = vim.fn.environ()
  -- uv ships its own certificates; a network with a private one has it in the system's store. The variables
  -- that are removed would lead one Python to the library of another.
  env.UV_SYSTEM_CERTS = env.UV_SYSTEM_CERTS or '1'
  env.PYTHONHOME, env.PYTHONPATH, env.VIRTUAL_ENV = nil, nil, nil
  return env
end

--- Run a program; its lines are logged.
---@param command string[]
---@param on_end fun(problem?: string)
local function run(command, on_end)
  local last = ''
  log(table.concat(command, ' '))
  local read = vim.schedule_wrap(function(_, data)
    for line in (data or ''):gmatch('[^\r\n]+') do
      last = vim.trim(line)
      log(last)
      if running then
        running.detail = last:match('^Downloading (.+)') or last:match('^Collecting (.+)') or running.detail
      end
    end
  end)
  local started, process = pcall(vim.system, command, {
    stdout = read,
    stderr = read,
    env = variables(),
    clear_env = true,
  }, function(done)
    vim.schedule(function()
      on_end(done.code ~= 0 and ('%s failed: %s'):format(vim.fs.basename(command[1]), last) or nil)
    end)
  end)
  if not started then
    return on_end(('%s could not be started.'):format(command[1]))
  end
  running.process = process
end

--- Attach the server, now that there is one, to the files that are open.
local function start_server()
  local client = vim.lsp.get_clients({ name = 'aide' })[1]
  if client then
    return require('aide.restart').on_purpose(client)
  end
  is_first_run = true
  vim.lsp.config('aide', { init_options = { download = true } }) -- the user has agreed to the model, too
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    require('aide.client').attach(buf)
  end
end

---@param problem string?
local function finish(problem)
  local canceled, is_update = running and running.canceled, running and running.is_update
  running = nil
  draw()
  if canceled then
    message.show('Aide: the installation was canceled. :Aide install starts it again.')
  elseif problem and is_update then
    log('The server could not be updated: ' .. problem) -- the earlier one keeps working
  elseif problem then
    log(problem)
    message.show(
      ('Aide could not be installed: %s. :Aide log has all of it.'):format(problem),
      vim.log.levels.ERROR
    )
  else
    start_server()
  end
end

--- Take the steps one after the other.
---@param steps aide.Step[]
---@param number integer
local function take(steps, number)
  local step = steps[number]
  if not step or not running or running.canceled then
    return finish()
  end
  running.step, running.detail = ('%s (%d of %d)'):format(step.text, number, #steps), ''
  draw()
  if step.run then
    step.run()
    return take(steps, number + 1)
  end
  run(step.command, function(problem)
    if problem then
      return finish(problem)
    end
    take(steps, number + 1)
  end)
end

--- Do what is missing: with a server that has no model, have it download one; else install the server.
function M.complete()
  local client = vim.lsp.get_clients({ name = 'aide' })[1]
  local status = client and require('aide.status').latest(client.id)
  if client and status and (status.state == 'missing' or status.state == 'failed') then
    return require('aide.requests').run_anywhere('aide.fetchModel')
  end
  M.run()
end

--- Install the server, or again if there is one.
---@param is_update? boolean nobody asked for it: a failure is only logged
function M.run(is_update)
  if running then
    return message.show(('Aide: %s :Aide install cancel stops it.'):format(M.state()))
  end
  local steps, problem = environment.steps()
  if not steps then
    return message.show('Aide could not be installed: ' .. problem, vim.log.levels.ERROR)
  end
  vim.fn.delete(declined())
  running = { step = '', detail = '', since = vim.uv.now(), canceled = false }
  running.is_update = is_update == true
  local timer = assert(vim.uv.new_timer())
  timer:start(0, 1000, function()
    if not running then
      timer:close()
    end
    vim.schedule(draw)
  end)
  vim.api.nvim_create_autocmd('VimLeavePre', { once = true, callback = M.cancel })
  require('aide.restart').reset()
  take(steps, 1)
end

--- Stop the installation.
function M.cancel()
  if not running then
    return message.show('Aide: nothing is being installed.')
  end
  running.canceled = true
  if running.process then
    running.process:kill('sigterm')
  end
end

--- Ask whether to install.
function M.ask()
  local size = M.SERVER_GB + M.MODEL_GB
  local prompt = ('Aide needs its server and a model: %.1f GB to download. Install them?'):format(size)
  question.ask({ 'Install', 'Not now' }, prompt, tostring, function(choice)
    if choice == 'Install' then
      M.run()
    elseif choice == 'Not now' then
      vim.fn.mkdir(environment.folder(), 'p')
      vim.fn.writefile({}, declined())
      message.show('Aide: not installed. :Aide install does it later.')
    end
  end)
end

--- Offer the installation, once in each session, unless the user has declined it.
function M.offer()
  if offered or running or M.is_declined() then
    return
  end
  offered = true
  question.when_calm(M.ask, function()
    return running ~= nil or require('aide.process').is_installed()
  end)
end

--- Update the server if the plugin, which comes with it, was updated.
---@param client vim.lsp.Client
function M.check(client)
  if checked or require('aide.process').command()[1] ~= environment.server() then
    return
  end
  checked = true
  vim.defer_fn(function()
    if not client:is_stopped() and environment.is_outdated() then
      M.run(true)
    end
  end, 5000)
end

--- Follow the server's state: after an installation, or a question about the model, the user waits for it.
---@param status table
---@param before table? the state before
function M.follow(status, before)
  is_first_run = is_first_run or (status.state == 'loading' and before ~= nil and before.state == 'missing')
  if not is_first_run or running then
    return
  end
  if status.state == 'ready' then
    is_first_run = false
    progress.show(nil)
    local key = require('aide.config').options.keys.accept
    message.show(('Aide is ready: type, and %s accepts what it offers.'):format(key or '<Plug>(aide-accept)'))
  elseif status.state == 'loading' then
    local percent = status.percent and ('  %d%%'):format(status.percent) or ''
    progress.show(('Aide: %s%s'):format(status.message or 'loading the model', percent))
  else
    progress.show(nil)
  end
end

return M
