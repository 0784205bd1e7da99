-- Draws a completion at the cursor in gray (`colors.lua`), without changing the buffer.
--
-- Neovim 0.12 can draw inline completions itself, but up to 0.12.4 it waits 200 ms after each key, does not
-- cancel obsolete requests, and may insert an answer to an older text when keys follow each other quickly.
-- So 0.11 and 0.12 both use this ghost text.

local M = {}

local namespace = vim.api.nvim_create_namespace('aide')
local drawn ---@type integer? the buffer

--- Draw an edit in place of the previous one.
---@param buf integer
---@param edit aide.Edit
---@param label? string such as `2/3`
function M.draw(buf, edit, label)
  M.clear()
  drawn = buf
  M.keep_to_window()
  local lines = vim.split(edit.text, '\n', { plain = true })
  local chunks = {} ---@type [string, string][][] the lines, each in pieces with their color
  for i, line in ipairs(lines) do
    local from = i == 1 and vim.fn.strdisplaywidth(edit.before) or 0
    chunks[i] = { { M.visible(line, from, vim.bo[buf].tabstop), 'AideGhost' } }
  end
  -- The text after the cursor will follow the last line, or be replaced: show it there. An overlay hides it
  -- here; inline virtual text would push it aside.
  local position = 'inline'
  if edit.after ~= '' and (#lines > 1 or edit.delete > 0) then
    position = 'overlay'
    local kept = edit.after:sub(edit.delete + 1)
    local at = #lines == 1 and vim.fn.strdisplaywidth(edit.before) or 0
    at = at + vim.fn.strdisplaywidth(chunks[#chunks][1][1])
    table.insert(chunks[#chunks], { M.visible(kept, at, vim.bo[buf].tabstop), 'Normal' })
    local covered = vim.fn.strdisplaywidth(edit.after, vim.fn.strdisplaywidth(edit.before))
    for _, chunk in ipairs(chunks[1]) do
      covered = covered - vim.fn.strdisplaywidth(chunk[1])
    end
    table.insert(chunks[1], { (' '):rep(math.max(covered, 0)), 'Normal' })
  end
  local below = {}
  for i = 2, #chunks do
    table.insert(below, chunks[i])
  end
  M.mark(buf, edit, {
    virt_text = chunks[1],
    virt_text_pos = position,
    virt_lines = #below > 0 and below or nil,
    virt_lines_overflow = 'scroll',
    hl_mode = 'combine',
  })
  if label then
    M.label(buf, edit.row, #edit.before, label)
  end
end

--- Draw a label at the end of a line, where no completion is visible yet.
---@param buf integer
---@param row integer
---@param label string
function M.draw_label(buf, row, label)
  M.clear()
  drawn = buf
  M.keep_to_window()
  M.label(buf, row, 0, label)
end

--- Draw in the current window only: other windows on the buffer would move with each key. Neovim has no
--- stable function for this yet; without it, they do.
---@package
function M.keep_to_window()
  pcall(vim.api.nvim__ns_set, namespace, { wins = { vim.api.nvim_get_current_win() } })
end

---@package
function M.label(buf, row, column, label)
  local options = { virt_text = { { label, 'AideCount' } }, virt_text_pos = 'eol' }
  vim.api.nvim_buf_set_extmark(buf, namespace, row, column, options)
end

--- Remove what is drawn.
function M.clear()
  if drawn and vim.api.nvim_buf_is_valid(drawn) then
    vim.api.nvim_buf_clear_namespace(drawn, namespace, 0, -1)
  end
  drawn = nil
end

---@package
function M.mark(buf, edit, options)
  vim.api.nvim_buf_set_extmark(buf, namespace, edit.row, #edit.before, options)
end

--- A line as virtual text must have it: with spaces for tabs, which it does not expand.
---@package
---@param line string
---@param from integer screen column it begins at
---@param tabstop integer
---@return string
function M.visible(line, from, tabstop)
  local shown, column = {}, from
  for i, piece in ipairs(vim.split(line, '\t', { plain = true })) do
    if i > 1 then
      local blanks = tabstop - column % tabstop
      table.insert(shown, (' '):rep(blanks))
      column = column + blanks
    end
    table.insert(shown, piece)
    column = column + vim.fn.strdisplaywidth(piece)
  end
  return table.concat(shown)
end

return M
