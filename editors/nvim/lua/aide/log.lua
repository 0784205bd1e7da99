-- Keeps the server's latest log lines, which Neovim would drop. They contain no source text.

local M = {}

M.lines = vim.ringbuf(1000) ---@type any
local LEVELS = { 'ERROR', 'WARNING', 'INFO', 'DEBUG', 'DEBUG' }

--- Add a message.
---@param message {type: integer, message: string}
function M.add(message)
  local level = LEVELS[message.type] or 'INFO'
  for _, line in ipairs(vim.split(message.message, '\n', { plain = true })) do
    M.lines:push(('%s %-7s %s'):format(os.date('%H:%M:%S'), level, line))
  end
end

--- All lines that are kept, oldest first.
---@return string[]
function M.all()
  local all = {}
  for line in M.lines do
    table.insert(all, line)
  end
  for _, line in ipairs(all) do -- reading removes them
    M.lines:push(line)
  end
  return all
end

return M
