-- The public interface: `setup`, the text for the statusline, and what happens when Neovim starts.

local M = {}

--- Change options. Not needed for the defaults. See |aide-options|.
---@param options? aide.Options
function M.setup(options)
  local config = require('aide.config')
  config.merge(options)
  local own = config.options
  if next(own.settings) then
    vim.lsp.config('aide', { settings = { aide = own.settings } })
  end
  if vim.g.loaded_aide then
    vim.lsp.enable('aide', own.enabled)
  end
end

--- Make `:help aide` find its tags. Plugin managers do this only for the root of a repository.
local function index_help()
  local page = vim.api.nvim_get_runtime_file('doc/aide.txt', false)[1]
  local folder = vim.fs.dirname(page)
  local tags = vim.uv.fs_stat(vim.fs.joinpath(folder, 'tags'))
  if not tags or tags.mtime.sec < vim.uv.fs_stat(page).mtime.sec then
    pcall(vim.cmd.helptags, vim.fn.fnameescape(folder)) -- the folder may not be the user's
  end
end

--- Called once by `plugin/aide.lua`.
function M.start()
  vim.schedule(index_help)
  require('aide.colors').define()
  require('aide.events').listen()
  vim.lsp.enable('aide', require('aide.config').options.enabled)
end

--- A short text for the statusline: `%{v:lua.require'aide'.statusline()}`. Empty where Aide is not active.
---@return string
function M.statusline()
  return require('aide.status').line()
end

--- The address of the schema of `.aide.toml`, for servers that know TOML, such as taplo.
---@return string
function M.schema()
  local here = vim.fs.abspath(debug.getinfo(1, 'S').source:sub(2)) -- editors/nvim/lua/aide/init.lua
  local checkout = vim.fn.fnamemodify(here, ':h:h:h:h:h')
  return vim.uri_from_fname(vim.fs.joinpath(checkout, 'docs', 'settings.schema.json'))
end

--- Whether a completion is visible, for your own mappings.
---@return boolean
function M.is_shown()
  return require('aide.completion').is_shown()
end

return M
