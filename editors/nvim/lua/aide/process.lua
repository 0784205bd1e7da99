-- Starts the server's process. Records whether its exit was requested, and keeps Neovim from reporting other
-- exits: that would interrupt the user in the middle of a word, and `restart.lua` handles them.

local M = {}

--- The server's command line: from `setup` or `vim.lsp.config`, on PATH, or in the private environment.
---@return string[]
function M.command()
  local configured = vim.lsp.config.aide.cmd
  local given = require('aide.config').options.cmd
    or (
      type(configured) == 'table' and configured --[[@as string[] ]]
    )
  if given or vim.fn.executable('aide-lsp') == 1 then
    return given or { 'aide-lsp' }
  end
  return { require('aide.environment').server() or 'aide-lsp' }
end

--- Whether the program is installed.
---@return boolean
function M.is_installed()
  return vim.fn.executable(M.command()[1]) == 1
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
