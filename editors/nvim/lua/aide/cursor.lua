-- Notifies the server of the cursor outside insert mode, so that it can prefill the text there. In insert
-- mode each move requests a completion anyway.

local client_of = require('aide.client')

local M = {}

local PAUSE_MS = 100 -- while a key is held down, the cursor moves on sooner

local timer ---@type uv.uv_timer_t?

--- Follow the cursor: called after each move in normal mode and when a buffer is entered.
function M.update()
  timer = timer or assert(vim.uv.new_timer())
  timer:start(PAUSE_MS, 0, vim.schedule_wrap(M.notify))
end

--- Notify the server now.
---@package
function M.notify()
  local buf, at = vim.api.nvim_get_current_buf(), vim.api.nvim_win_get_cursor(0)
  local client = client_of.of(buf)
  if client and vim.api.nvim_get_mode().mode == 'n' then
    client:notify('aide/cursor', client_of.place(client, buf, at[1] - 1, at[2]))
  end
end

return M
