-- Shows reports in a split, and words the state as lines of text.

local M = {}

local space = vim.api.nvim_create_namespace('aide-report')

---@alias aide.Line string|[string, string?][] a line of text, or pieces of one with their highlight groups

---@class aide.ReportOptions
---@field filetype? string
---@field keys? [string, fun(), string][] keys, what they do, and their descriptions

--- Show lines in a buffer that cannot be changed.
---@param buf integer
---@param lines aide.Line[]
function M.fill(buf, lines)
  local texts, marks = {}, {}
  for row, line in ipairs(lines) do
    local text = ''
    for _, piece in ipairs(type(line) == 'table' and line or { { line } }) do
      if piece[2] then
        table.insert(marks, { row - 1, #text, #text + #piece[1], piece[2] })
      end
      text = text .. piece[1]
    end
    texts[row] = (text:gsub('[\r\n]', ' '))
  end
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, texts)
  vim.bo[buf].modifiable = false
  vim.api.nvim_buf_clear_namespace(buf, space, 0, -1)
  for _, mark in ipairs(marks) do
    vim.api.nvim_buf_set_extmark(buf, space, mark[1], mark[2], { end_col = mark[3], hl_group = mark[4] })
  end
end

--- Make the current window as high as its text, up to half of the screen.
function M.fit()
  local rows = vim.api.nvim_win_text_height(0, {}).all + 1 -- the bar at the top
  vim.api.nvim_win_set_height(0, math.max(3, math.min(rows, math.floor(vim.o.lines / 2))))
end

--- Write the bar at the top of a report.
---@param window integer
---@param title string
function M.title(window, title)
  local keys = vim.w[window].aide_keys
  vim.wo[window][0].winbar = (' %%#Title#Aide: %s%%*%%=%s '):format(title, keys)
end

--- Close the report in the current window, and go back to where it was opened from: Neovim itself would go to
--- the window above.
function M.close()
  local origin = vim.w.aide_origin
  vim.api.nvim_win_close(0, true)
  if vim.api.nvim_win_is_valid(origin) then
    vim.api.nvim_set_current_win(origin)
  end
end

--- Show a report in a split, in place of an open one with this title. `q` closes it.
---@param title string
---@param lines aide.Line[]
---@param options? aide.ReportOptions
---@return integer buf
function M.open(title, lines, options)
  options = options or {}
  local name = 'aide://' .. title
  local opened = vim.fn.bufwinid('^' .. name .. '$')
  local origin = vim.w.aide_origin or vim.api.nvim_get_current_win()
  if opened ~= -1 then
    vim.api.nvim_win_close(opened, true)
  end
  vim.cmd('botright new')
  vim.w.aide_origin = origin
  local buf = vim.api.nvim_get_current_buf()
  vim.bo[buf].buftype = 'nofile'
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].swapfile = false
  pcall(vim.api.nvim_buf_set_name, buf, name)
  M.fill(buf, lines)
  vim.bo[buf].filetype = options.filetype or 'aide'
  vim.wo[0][0].wrap, vim.wo[0][0].linebreak, vim.wo[0][0].breakindent = true, true, true
  vim.wo[0][0].number, vim.wo[0][0].relativenumber, vim.wo[0][0].list = false, false, false
  vim.wo[0][0].signcolumn, vim.wo[0][0].spell = 'no', false
  local hints = {}
  for _, key in ipairs(vim.list_extend(options.keys or {}, { { 'q', M.close, 'close' } })) do
    vim.keymap.set('n', key[1], key[2], { buffer = buf, nowait = true, desc = 'Aide: ' .. key[3] })
    table.insert(hints, ('%%#Special#%s%%* %s'):format(key[1]:gsub('[<>]', ''), key[3]))
  end
  vim.w.aide_keys = table.concat(hints, '   ')
  M.title(0, title)
  M.fit()
  return buf
end

--- Write a new file that only the user can read.
---@param path string
---@param text string
---@return string? problem
local function write_private(path, text)
  pcall(vim.fn.mkdir, vim.fs.dirname(path), 'p', tonumber('700', 8))
  vim.uv.fs_unlink(path) -- so that it gets this mode
  local file, problem = vim.uv.fs_open(path, 'wx', tonumber('600', 8))
  if not file then
    return problem
  end
  local written, failure = vim.uv.fs_write(file, text)
  vim.uv.fs_close(file)
  return written ~= #text and (failure or 'the disk is full') or nil
end

--- Write a page to a file, open it in the browser, and show its path.
---@param html string
function M.open_page(html)
  local path = vim.fs.joinpath(vim.fn.stdpath('cache'), 'aide', 'explain.html')
  local failure = write_private(path, html)
  if failure then
    return require('aide.message').warn(('Aide: the page cannot be written (%s).'):format(failure))
  end
  local _, problem = vim.ui.open(path)
  require('aide.message').show(
    ('Aide: the explanation is in %s%s'):format(path, problem and '; no program to open it was found.' or '')
  )
end

--- A line with a name and its value.
---@param name string
---@param value string
---@param group? string of the value
---@return aide.Line
local function entry(name, value, group)
  return { { ('%-12s '):format(name), 'Identifier' }, { value, group } }
end

--- What was last offered, or why there was nothing.
local function shown(state)
  if state.shown then
    local pinned = state.shown.pinned and ', pinned' or ''
    return entry(
      'Shown',
      ('seed %d, candidate %d%s'):format(state.shown.seed, state.shown.candidate + 1, pinned)
    )
  elseif state.nothing and state.nothing.reason ~= 'off' then
    return entry('Shown', 'no completion: ' .. state.nothing.message)
  end
end

local HOW = {
  file = ':Aide on',
  language = ':Aide on language',
  secret = 'set complete_secrets = true in your settings.toml',
  engine = 'set engine = "local": such files are never sent to a server',
  editor = 'change `settings` in `setup`',
}

--- Why completions are off in a document, and what turns them on again.
---@param document? table of the state
---@return aide.Line[]
local function off(document)
  if not (document and document.off) then
    return {}
  end
  local how = HOW[document.offScope] or (':edit ' .. vim.fn.fnameescape(document.offPath or ''))
  return { entry('Off', document.off, 'WarningMsg'), entry('Turn on', how) }
end

--- The other files that the model read for the completion that is visible; nil: none.
local function also_read(state)
  local files = state.shown and state.shown.files or {}
  if #files == 0 then
    return nil
  end
  local texts = vim.tbl_map(function(file)
    return ('%s %s'):format(file.path, file.lines)
  end, files)
  return entry('Also read', table.concat(texts, '; '))
end

local PARAMETERS = { -- in the order of the documentation
  { 'temperature', 'Temperature' },
  { 'topK', 'Top K' },
  { 'topP', 'Top P' },
  { 'numContext', 'Num Context' },
  { 'seed', 'Seed' },
}

--- The parameters in effect.
---@param values table
---@return aide.Line[]
local function parameters(values)
  local lines = {}
  for _, parameter in ipairs(PARAMETERS) do
    local value = values[parameter[1]]
    table.insert(lines, entry(parameter[2], value == nil and 'random' or tostring(value)))
  end
  return lines
end

--- Their names, of those that have no effect on a server.
---@param ignored string[]
---@return string
local function without_effect(ignored)
  local names = {}
  for _, parameter in ipairs(PARAMETERS) do
    if vim.list_contains(ignored, parameter[1]) then
      table.insert(names, parameter[2])
    end
  end
  return table.concat(names, ', ')
end

--- The server that text is sent to, and what it does not do.
local function server_lines(server)
  local lines = { entry('Sent to', require('aide.status').server_text(server)) }
  local ignored = without_effect(server.ignored or {})
  if ignored ~= '' then
    table.insert(lines, entry('No effect', ignored, 'WarningMsg'))
  end
  if not server.replays then
    table.insert(lines, entry('Note', 'the same seed may give another completion there'))
  end
  return lines
end

--- The complete state in words.
---@param report table the answer of `aide.status`
---@param state? table the last `aide/status`
---@param reason? string why Aide is not active in this buffer
---@param document? table what is in effect in this buffer, of that state
---@return aide.Line[]
function M.state(report, state, reason, document)
  local lines = {}
  for _, problem in ipairs(report.settingsProblems or {}) do
    table.insert(lines, entry('Problem', problem, 'WarningMsg'))
  end
  if reason then
    table.insert(lines, entry('Here', reason, 'WarningMsg'))
  end
  vim.list_extend(lines, off(document))
  local failed = report.state == 'failed' and 'ErrorMsg' or nil
  local state_text = report.state .. (report.message and (': ' .. report.message) or '')
  local note = report.deviceNote and (', ' .. report.deviceNote) or ''
  table.insert(lines, entry('State', state_text, failed))
  table.insert(
    lines,
    entry('Model', report.model .. (report.recipe and (', recipe ' .. report.recipe) or ''))
  )
  if report.server then
    vim.list_extend(lines, server_lines(report.server))
  else
    table.insert(lines, entry('Device', (report.device and report.device:upper() or 'none yet') .. note))
    table.insert(lines, report.shares and entry('Engine', report.shares) or nil)
  end
  table.insert(lines, entry('Version', report.version))
  table.insert(lines, state and shown(state) or nil)
  table.insert(lines, state and also_read(state) or nil)
  if report.parameters then
    vim.list_extend(lines, parameters(report.parameters))
  end
  local count = report.accepted.count
  table.insert(lines, entry('Accepted', ('%d completion%s'):format(count, count == 1 and '' or 's')))
  return lines
end

return M
