-- Closing brackets and quotes that a plugin, such as nvim-autopairs, puts after the cursor by itself. The
-- server reads them in the same way (`completion/auto_closing.py`). Pure functions.

local M = {}

local PAIRS = { ['('] = ')', ['['] = ']', ['{'] = '}' }
local QUOTES = '"\'`'

local function is_quote(sign)
  return QUOTES:find(sign, 1, true) ~= nil
end

--- Update the closers that are still to come, the next one last; false: this one is none of them.
---@param stack string[]
---@param sign string
---@return boolean
local function read(stack, sign)
  if PAIRS[sign] then
    table.insert(stack, PAIRS[sign])
    return true
  end
  for i = #stack, 1, -1 do
    if stack[i] == sign then
      while #stack >= i do
        table.remove(stack)
      end
      return true
    elseif not is_quote(sign) and not is_quote(stack[i]) then
      return false
    end
  end
  if is_quote(sign) then
    table.insert(stack, sign)
  end
  return is_quote(sign)
end

--- The brackets and quotes of a text, without those after a backslash.
local function signs(text)
  return text:gsub('\\.', ''):gmatch('[%(%)%[%]{}"\'`]')
end

--- What is put after a typed text: what closes all that it leaves open.
---@param typed string
---@return string
function M.of(typed)
  local stack = {}
  for sign in signs(typed) do
    read(stack, sign)
  end
  return table.concat(stack):reverse()
end

--- How many of the closers, with the blanks before them, a text closes; nil: it closes something else before.
---@param text string
---@param closers string
---@return integer?
function M.closed(text, closers)
  local blanks = #closers:match('^ *')
  closers = closers:sub(blanks + 1)
  local stack, due = vim.split(closers:reverse(), ''), #closers
  if closers == '' then
    return 0
  end
  for sign in signs(text) do
    if not read(stack, sign) and due > 0 then
      return nil
    end
    due = math.min(due, #stack)
  end
  return due < #closers and blanks + #closers - due or 0
end

return M
