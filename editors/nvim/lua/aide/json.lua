-- Removes nulls from the server's messages. Neovim 0.11 drops them itself; 0.12 gives `vim.NIL`, which is
-- true in Lua.

local M = {}

--- The value without nulls.
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
