-- Shows messages to the user. Neovim asks for a key press after a message that is longer than its line, so
-- such a message is drawn in the corner instead, where it disappears on its own. If a plugin or the user has
-- replaced `vim.notify`, that gets all messages.

local M = {}

local WIDTH = 60 -- of the text in the corner, at most
local READING_MS = 60 -- for each character, and never less than:
local LEAST_MS = 5000

local GROUPS = { [vim.log.levels.WARN] = 'WarningMsg', [vim.log.levels.ERROR] = 'ErrorMsg' }

local window ---@type integer?
local timer ---@type uv.uv_timer_t?

local function close()
  if window and vim.api.nvim_win_is_valid(window) then
    vim.api.nvim_win_close(window, true)
  end
  window = nil
end

--- Whether `vim.notify` is Neovim's own, which writes into the message line.
---@return boolean
local function is_own_notify()
  local source = debug.getinfo(vim.notify, 'S').source
  return source == '?' or vim.startswith(source, '@vim/') -- 0.12 strips the names of its own
end

--- Break a text into lines.
---@param text string
---@param width integer
---@return string[]
function M.wrap(text, width)
  local lines = {}
  for _, paragraph in ipairs(vim.split(text, '\n', { plain = true })) do
    local line = ''
    for word in paragraph:gmatch('%S+') do
      local longer = line == '' and word or (line .. ' ' .. word)
      if line ~= '' and vim.fn.strdisplaywidth(longer) > width then
        table.insert(lines, line)
        longer = word
      end
      line = longer
    end
    table.insert(lines, line)
  end
  return lines
end

--- Draw a text in the corner.
---@param text string
---@param level integer
local function draw(text, level)
  close()
  local lines = M.wrap(text, math.max(20, math.min(WIDTH, vim.o.columns - 6)))
  local width = 1
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  width = math.min(width, vim.o.columns - 4) -- a word may be longer
  local buf = vim.api.nvim_create_buf(false, true)
  vim.bo[buf].bufhidden = 'wipe'
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  local rows = 0
  for _, line in ipairs(lines) do
    rows = rows + math.max(1, math.ceil(vim.fn.strdisplaywidth(line) / width))
  end
  window = vim.api.nvim_open_win(buf, false, {
    relative = 'editor',
    anchor = 'SE',
    row = vim.o.lines
      - vim.o.cmdheight
      - (vim.o.laststatus > 0 and 1 or 0)
      - require('aide.progress').height(),
    col = vim.o.columns,
    width = width,
    height = math.max(1, math.min(rows, vim.o.lines - 6)),
    style = 'minimal',
    border = 'rounded',
    focusable = false,
    noautocmd = true,
    zindex = 60,
  })
  vim.wo[window].wrap = true
  local group = GROUPS[level]
  vim.wo[window].winhighlight = group and ('NormalFloat:%s'):format(group) or ''
  timer = timer or assert(vim.uv.new_timer())
  timer:start(math.max(LEAST_MS, #text * READING_MS), 0, vim.schedule_wrap(close))
end

--- Show a message.
---@param text string
---@param level? integer
function M.show(text, level)
  level = level or vim.log.levels.INFO
  local fits = not text:find('\n') and vim.fn.strdisplaywidth(text) < vim.v.echospace
  if fits or not is_own_notify() then
    close()
    return vim.notify(text, level)
  end
  draw(text, level)
end

--- Show a warning.
---@param text string
function M.warn(text)
  M.show(text, vim.log.levels.WARN)
end

return M
