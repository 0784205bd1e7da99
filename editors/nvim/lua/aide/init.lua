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

--- Called once by `plugin/aide.lua`.
function M.start()
  require('aide.ghost').define_highlights()
  require('aide.events').listen()
  vim.lsp.enable('aide', require('aide.config').options.enabled)
end

--- A short text for the statusline: `%{v:lua.require'aide'.statusline()}`. Empty where Aide is not active.
---@return string
function M.statusline()
  return require('aide.status').line()
end

--- Whether a completion is visible, for your own mappings.
---@return boolean
function M.is_shown()
  return require('aide.completion').is_shown()
end

return M
