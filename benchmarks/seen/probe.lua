-- Runs inside Neovim, writes each change of the ghost text to a socket, and answers questions from there.
-- Ghost text is read when the screen is drawn, so its time is that of the picture.

local M = {}

local pipe = assert(vim.uv.new_pipe())
local last = nil

local function send(message)
  message.at = vim.uv.hrtime() / 1e9
  pipe:write(vim.json.encode(message) .. '\n')
end

--- The virtual text in the buffer, without what is at the ends of lines. (Lines may be in a mark of their own.)
local function ghost()
  local first, below = '', {}
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, -1, 0, -1, { details = true })) do
    local details = mark[4]
    if details.virt_text and details.virt_text_pos ~= 'eol' then
      first = first .. details.virt_text[1][1]
    end
    for _, line in ipairs(details.virt_lines or {}) do
      table.insert(below, '\n' .. (line[1] and line[1][1] or ''))
    end
  end
  return first .. table.concat(below)
end

local function look()
  local now = ghost()
  if now ~= last then
    last = now
    send({ ghost = now })
  end
end

local function answer(line)
  local asked = vim.json.decode(line)
  local run = assert(load('return ' .. asked.lua))
  local fine, value = pcall(run)
  send({ id = asked.id, value = fine and value or nil, error = not fine and tostring(value) or nil })
end

function M.start(path)
  pipe:connect(path, function(err)
    assert(not err, err)
    local rest = ''
    pipe:read_start(function(_, data)
      rest = rest .. (data or '')
      for line in rest:gmatch('([^\n]*)\n') do
        vim.schedule(function()
          answer(line)
        end)
      end
      rest = rest:match('[^\n]*$')
    end)
  end)
  local space = vim.api.nvim_create_namespace('benchmarks.seen')
  vim.api.nvim_set_decoration_provider(space, { on_end = look })
end

return M
