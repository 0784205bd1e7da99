-- A completion at the cursor as text: created from the server's item, shortened as the user types it, split
-- into words and lines. Byte columns only. Pure functions, without buffers or windows.

local closing = require('aide.closing')

local M = {}

---@class aide.Edit
---@field row integer line of the cursor, from 0
---@field before string the line up to the cursor
---@field after string the line after the cursor
---@field text string what is inserted at the cursor
---@field delete integer bytes after the cursor that it replaces

--- Create an edit from an item; nil if it does not continue the text before the cursor.
---@param item table `lsp.InlineCompletionItem`
---@param row integer
---@param column integer
---@param line string
---@param encoding string
---@return aide.Edit?
function M.from_item(item, row, column, line, encoding)
  local text = type(item.insertText) == 'table' and item.insertText.value or item.insertText
  text = text:gsub('\r\n', '\n')
  local first, last = column, column
  if item.range then
    if item.range.start.line ~= row or item.range['end'].line ~= row then
      return nil
    end
    first = vim.str_byteindex(line, encoding, item.range.start.character, false)
    last = vim.str_byteindex(line, encoding, item.range['end'].character, false)
  end
  local head = line:sub(first + 1, column)
  if first > column or last < column or not vim.startswith(text, head) then
    return nil
  end
  local rest = text:sub(#head + 1)
  if rest == '' then
    return nil
  end
  return {
    row = row,
    before = line:sub(1, column),
    after = line:sub(column + 1),
    text = rest,
    delete = last - column,
  }
end

--- The edit as it is once the user has typed its next characters; nil: something else was typed.
---@param edit aide.Edit
---@param row integer
---@param column integer
---@param line string
---@return aide.Edit?
function M.follow(edit, row, column, line)
  local start = #edit.before
  if row ~= edit.row or column < start then
    return nil
  end
  local typed = line:sub(start + 1, column)
  if line:sub(1, start) ~= edit.before or not vim.startswith(edit.text, typed) or #typed == #edit.text then
    return nil
  end
  local rest, after = edit.text:sub(#typed + 1), line:sub(column + 1)
  local delete = M.replaced(edit, typed, rest, after)
  return delete
    and vim.tbl_extend('force', edit, {
      before = edit.before .. typed,
      after = after,
      text = rest,
      delete = delete,
    })
end

--- The edit as it is once Enter was pressed at one of its line ends, and the line indented; nil: it was not.
---@param edit aide.Edit
---@param row integer
---@param column integer
---@param line string
---@param above string the line above
---@return aide.Edit?
function M.follow_down(edit, row, column, line, above)
  local before, after = line:sub(1, column), line:sub(column + 1)
  local typed = above:sub(#edit.before + 1) .. '\n' .. before
  local fits = row == edit.row + 1
    and vim.startswith(above, edit.before)
    and after == edit.after
    and vim.startswith(edit.text, typed)
    and #typed < #edit.text
  if not fits then
    return nil
  end
  return vim.tbl_extend('force', edit, { row = row, before = before, text = edit.text:sub(#typed + 1) })
end

--- How much after the cursor the rest of an edit replaces; nil: something else was changed there.
---@package
---@param edit aide.Edit
---@param typed string
---@param rest string
---@param after string
---@return integer?
function M.replaced(edit, typed, rest, after)
  local more = #after - #edit.after
  if more > 0 and after:sub(more + 1) == edit.after then
    -- A plugin closed a bracket: the rest closes it too, so it takes its place.
    local closers = after:sub(1, more)
    local closed = closing.of(typed) == closers and closing.closed(rest, closers)
    return closed and (closed == more or edit.delete == 0) and closed + edit.delete or nil
  elseif more < 0 and -more <= edit.delete and edit.after:sub(1 - more) == after then
    -- A bracket was typed over.
    return edit.delete + more
  end
  return more == 0 and after == edit.after and edit.delete or nil
end

--- Cut off what is taken next.
---@param text string
---@param amount 'all'|'word'|'line'
---@return string part, string rest
function M.cut(text, amount)
  local part = text
  if amount == 'word' then
    part = vim.fn.matchstr(text, [=[^\_s*\%(\k\+\|[^[:keyword:][:space:]]\+\)]=])
  elseif amount == 'line' then
    part = text:match('^\n*[^\n]*')
  end
  if part == '' then
    part = text
  end
  return part, text:sub(#part + 1)
end

return M
