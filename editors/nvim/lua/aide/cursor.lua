-- Tells the server where the cursor is outside of insert mode, so that the text there is read before it is
-- needed. In insert mode each move asks for a completion anyway. It does not know what the server does with
-- it.

local client_of = require('aide.client')

local M = {}

local PAUSE_MS = 100 -- a cursor that is held on a key goes on at once

local timer ---@type uv.uv_timer_t?

--- Follow the cursor: called after each move in normal mode, and in a buffer that was gone to.
function M.update()
  timer = timer or assert(vim.uv.new_timer())
  timer:start(PAUSE_MS, 0, vim.schedule_wrap(M.tell))
end

--- Tell it now.
---@package
function M.tell()
  local buf, at = vim.api.nvim_get_current_buf(), vim.api.nvim_win_get_cursor(0)
  local client = client_of.of(buf)
  if client and vim.api.nvim_get_mode().mode == 'n' then
    client:notify('aide/cursor', client_of.place(client, buf, at[1] - 1, at[2]))
  end
end

return M
