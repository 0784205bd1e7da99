-- A private virtual environment with the server, below Neovim's data folder. It is created from the checkout
-- that contains this plugin, with uv or, without uv, with Python's venv and pip. All hashes are pinned.

local M = {}

local OLDEST = { 3, 11 } -- Python
local is_windows = vim.fn.has('win32') == 1

--- The folder that holds all of it.
---@return string
function M.folder()
  return vim.fs.joinpath(vim.fn.stdpath('data'), 'aide')
end

--- A file that is written last: an installation that was interrupted must not be taken for a server.
---@param folder string
---@return string
local function marker(folder)
  return vim.fs.joinpath(folder, 'complete')
end

---@param folder string of an environment
---@param name string
---@return string
local function program(folder, name)
  return vim.fs.joinpath(folder, is_windows and 'Scripts' or 'bin', is_windows and name .. '.exe' or name)
end

--- The folders of all environments: of each version of the checkout there is one.
---@return string[]
local function folders()
  return vim.fn.glob(vim.fs.joinpath(M.folder(), 'server-*'), true, true)
end

--- The folder of the environment that was installed last; nil if there is none.
---@return string?
local function newest()
  local found, at = nil, -1
  for _, folder in ipairs(folders()) do
    local stat = vim.uv.fs_stat(marker(folder))
    if stat and stat.mtime.sec > at and vim.fn.executable(program(folder, 'aide-lsp')) == 1 then
      found, at = folder, stat.mtime.sec
    end
  end
  return found
end

--- The server's program, if it is installed.
---@return string?
function M.server()
  local folder = newest()
  return folder and program(folder, 'aide-lsp')
end

--- The checkout that contains this plugin; nil if only the plugin was copied.
---@return string?
function M.checkout()
  local here = vim.fs.abspath(debug.getinfo(1, 'S').source:sub(2)) -- editors/nvim/lua/aide/environment.lua
  local folder = vim.fn.fnamemodify(here, ':h:h:h:h:h')
  return vim.uv.fs_stat(vim.fs.joinpath(folder, 'requirements.lock')) and folder or nil
end

--- The version of the checkout: its commit, or outside of git the same for all.
---@param checkout string
---@return string
local function version(checkout)
  local asked, done = pcall(vim.system, { 'git', '-C', checkout, 'rev-parse', 'HEAD' }, { text = true })
  local result = asked and done:wait(2000) or { code = 1 }
  return result.code == 0 and result.stdout:sub(1, 12) or 'unknown'
end

--- Whether the checkout was updated after the server was installed from it.
---@return boolean
function M.is_outdated()
  local checkout, folder = M.checkout(), newest()
  return checkout ~= nil and folder ~= nil and vim.fs.basename(folder) ~= 'server-' .. version(checkout)
end

---@class aide.Step
---@field text string what it does
---@field command? string[]
---@field run? fun() instead of a command

--- A Python that can create environments.
---@return string?
local function find_python()
  -- -I: no variable and no module of the current folder takes part. Debian's Python lacks ensurepip.
  local question = ('import sys, venv, ensurepip; sys.exit(sys.version_info < (%d, %d))'):format(
    unpack(OLDEST)
  )
  for _, name in ipairs({ 'python3', 'python' }) do
    local path = vim.fn.exepath(name)
    if path ~= '' and vim.system({ path, '-I', '-c', question }):wait(5000).code == 0 then
      return path
    end
  end
end

--- The steps of an installation, or why there can be none.
---@return aide.Step[]? steps, string? problem
function M.steps()
  local checkout, uv = M.checkout(), vim.fn.exepath('uv')
  local python = uv == '' and find_python() or nil
  if not checkout then
    return nil, 'This copy of the plugin comes without the server: install the plugin from a clone of Aide.'
  elseif uv == '' and not python then
    return nil,
      ('Neither uv nor Python %d.%d or newer was found. Install one of them first.'):format(unpack(OLDEST))
  end
  local target = vim.fs.joinpath(M.folder(), 'server-' .. version(checkout))
  local oldest = ('>=%d.%d'):format(unpack(OLDEST))
  local create = uv ~= '' and { uv, 'venv', '--python', oldest, target } or { python, '-m', 'venv', target }
  local own = program(target, 'python')
  local install = uv ~= '' and { uv, 'pip', 'install', '--python', own }
    or { own, '-m', 'pip', 'install', '--disable-pip-version-check' }
  local requirements = vim.fs.joinpath(checkout, 'requirements.lock')
  local function with(...)
    return vim.list_extend(vim.deepcopy(install), { ... })
  end
  local function prepare()
    vim.fn.delete(target, 'rf')
    vim.fn.mkdir(M.folder(), 'p')
  end
  local function complete()
    vim.fn.writefile({}, marker(target))
    for _, folder in ipairs(folders()) do
      if vim.fs.basename(folder) ~= vim.fs.basename(target) then
        vim.fn.delete(folder, 'rf')
      end
    end
  end
  return {
    { text = 'preparing', run = prepare },
    { text = 'creating an environment', command = create },
    { text = 'downloading the runtime', command = with('--require-hashes', '-r', requirements) },
    { text = 'installing the server', command = with('--no-deps', '--no-build-isolation', checkout) },
    { text = 'finishing', run = complete },
  }
end

return M
