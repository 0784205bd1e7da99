-- One line in the corner that shows what long work is at. It takes no focus and no key.

local M = {}

local window ---@type integer?
local buf ---@type integer?

--- Show a line, or with nil remove it.
---@param text string?
function M.show(text)
  if not text then
    if window and vim.api.nvim_win_is_valid(window) then
      vim.api.nvim_win_close(window, true)
    end
    window = nil
    return
  end
  local width = math.min(vim.fn.strdisplaywidth(text) + 2, vim.o.columns)
  local place = {
    relative = 'editor',
    anchor = 'SE',
    row = vim.o.lines - vim.o.cmdheight - (vim.o.laststatus > 0 and 1 or 0),
    col = vim.o.columns,
    width = width,
    height = 1,
    style = 'minimal',
    focusable = false,
    zindex = 50,
  }
  if not buf or not vim.api.nvim_buf_is_valid(buf) then
    buf = vim.api.nvim_create_buf(false, true)
  end
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, { ' ' .. text })
  if window and vim.api.nvim_win_is_valid(window) then
    return vim.api.nvim_win_set_config(window, place)
  end
  place.border, place.noautocmd = 'none', true
  window = vim.api.nvim_open_win(buf, false, place)
end

--- How many rows it takes.
---@return integer
function M.height()
  return window and vim.api.nvim_win_is_valid(window) and 1 or 0
end

return M
