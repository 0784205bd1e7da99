-- Notifies the server of the cursor outside insert mode, so that it can prefill the text there. In insert
-- mode each move requests a completion anyway.
--
-- A jump is notified at once. While a key is held down, only its first move is, and where the cursor rests.

local client_of = require('aide.client')

local M = {}

local PAUSE_MS = 100 -- while a key is held down, the cursor moves on sooner
local REST_MS = 700 -- a key that is held down begins to repeat sooner

local timer ---@type uv.uv_timer_t?
local moved_at ---@type integer?
local notified = '' -- the place that the server knows
local clicked = false -- the last key was one of the mouse
local exact = false -- the cursor went where it is with the mouse

local CLICK = vim.keycode('<LeftMouse>')

-- The event of a move does not say what moved the cursor.
vim.on_key(function(key)
  clicked = key == CLICK
end, vim.api.nvim_create_namespace('aide.cursor'))

--- Follow the cursor: called after each move in normal mode and when a buffer is entered.
function M.update()
  local now = vim.uv.now()
  if not moved_at or now - moved_at >= REST_MS then
    vim.schedule(M.notify) -- whatever opens a file puts the cursor somewhere right after that
  end
  moved_at, exact = now, clicked
  timer = timer or assert(vim.uv.new_timer())
  timer:start(PAUSE_MS, 0, vim.schedule_wrap(M.notify))
end

--- Notify the server though the cursor has not moved: it did not listen when it did.
function M.again()
  notified, exact = '', false
  M.notify()
end

--- Notify the server now, unless it knows.
---@package
function M.notify()
  local buf, at = vim.api.nvim_get_current_buf(), vim.api.nvim_win_get_cursor(0)
  local client = client_of.of(buf)
  if not client or vim.api.nvim_get_mode().mode ~= 'n' then
    return
  end
  local tick = vim.api.nvim_buf_get_changedtick(buf)
  local key = ('%d:%d:%d:%d:%d'):format(client.id, buf, tick, at[1], at[2])
  if key ~= notified then
    notified = key
    local place = client_of.place(client, buf, at[1] - 1, M.typing_column(at[2]))
    place.exact = exact
    client:notify('aide/cursor', place)
  end
end

--- Where a text is typed: normal mode cannot go behind the last character of a line, but `A` types there.
--- With 'virtualedit', it can.
---@package
---@param column integer bytes before the cursor
---@return integer
function M.typing_column(column)
  local line = vim.api.nvim_get_current_line()
  local is_last = column > 0 and (column >= #line or column + vim.str_utf_end(line, column + 1) + 1 >= #line)
  return is_last and #line or column
end

return M
