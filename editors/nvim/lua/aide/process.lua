-- Starts the server's process. Records whether its exit was requested, and keeps Neovim from reporting other
-- exits: that would interrupt the user in the middle of a word, and `restart.lua` handles them.

local M = {}

--- The server's command line: from `setup`, or found on PATH.
---@return string[]
function M.command()
  local configured = vim.lsp.config.aide.cmd
  return require('aide.config').options.cmd
    or (
      type(configured) == 'table' and configured --[[@as string[] ]]
    )
    or { 'aide-lsp' }
end

--- Whether the program is installed.
---@return boolean
function M.is_installed()
  return vim.fn.executable(M.command()[1]) == 1
end

--- The command that installs the program from the checkout that contains this plugin.
---@return string
function M.installation()
  local here = debug.getinfo(1, 'S').source:sub(2) -- editors/nvim/lua/aide/process.lua
  local checkout = vim.fs.normalize(vim.fn.fnamemodify(here, ':p:h:h:h:h:h'))
  local is_there = vim.uv.fs_stat(checkout .. '/pyproject.toml') ~= nil
  local source = is_there and checkout or 'PATH_OF_THE_CHECKOUT_OF_AIDE'
  return ('uv tool install %s (or: pip install %s)'):format(source, source)
end

--- Start the server: the `cmd` of `lsp/aide.lua`.
---@param dispatchers vim.lsp.rpc.Dispatchers
---@param config vim.lsp.ClientConfig
---@return table the connection, with `aide_end_asked`
function M.start(dispatchers, config)
  local quiet = vim.tbl_extend('force', dispatchers, {
    on_exit = function() -- Neovim warns of any code but 0
      dispatchers.on_exit(0, 0)
    end,
  })
  local options = { cwd = config.cmd_cwd, env = config.cmd_env, detached = config.detached }
  local rpc = vim.lsp.rpc.start(M.command(), quiet, options)
  local mine = vim.tbl_extend('force', rpc, { aide_end_asked = false })
  mine.request = function(method, ...)
    mine.aide_end_asked = mine.aide_end_asked or method == 'shutdown'
    return rpc.request(method, ...)
  end
  mine.terminate = function()
    mine.aide_end_asked = true
    return rpc.terminate()
  end
  return mine
end

return M
