-- Takes the nulls out of what the server sent. Neovim 0.11 leaves them out itself, 0.12 gives `vim.NIL`,
-- which counts as true in Lua. It knows no message.

local M = {}

--- The value without any null in it.
---@param value any
---@return any
function M.without_nulls(value)
  if value == vim.NIL then
    return nil
  elseif type(value) ~= 'table' then
    return value
  end
  local cleaned = {}
  for key, inner in pairs(value) do
    cleaned[key] = M.without_nulls(inner)
  end
  return cleaned
end

return M
