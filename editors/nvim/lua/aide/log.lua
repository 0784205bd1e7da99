-- Keeps the server's last log lines, which Neovim would drop. No source text is in them.

local M = {}

M.lines = vim.ringbuf(1000) ---@type any
local LEVELS = { 'ERROR', 'WARNING', 'INFO', 'DEBUG', 'DEBUG' }

--- Note one message.
---@param message {type: integer, message: string}
function M.add(message)
  local level = LEVELS[message.type] or 'INFO'
  for _, line in ipairs(vim.split(message.message, '\n', { plain = true })) do
    M.lines:push(('%s %-7s %s'):format(os.date('%H:%M:%S'), level, line))
  end
end

--- All that are kept, the oldest first.
---@return string[]
function M.all()
  local all = {}
  for line in M.lines do
    table.insert(all, line)
  end
  for _, line in ipairs(all) do -- reading takes them out
    M.lines:push(line)
  end
  return all
end

return M
