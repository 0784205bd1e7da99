-- Shows reports in a split, and words the state and proposals as lines of text.

local M = {}

--- Show text in a split; `q` closes it.
---@param title string
---@param text string|string[]
---@param filetype? string
function M.open(title, text, filetype)
  local lines = type(text) == 'table' and text or vim.split(vim.trim(text), '\n', { plain = true })
  vim.cmd('botright new')
  local buf = vim.api.nvim_get_current_buf()
  vim.bo[buf].buftype = 'nofile'
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].swapfile = false
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].modifiable = false
  vim.bo[buf].filetype = filetype or ''
  pcall(vim.api.nvim_buf_set_name, buf, 'aide://' .. title) -- fails if such a report is still open
  vim.api.nvim_win_set_height(0, math.max(3, math.min(#lines, math.floor(vim.o.lines / 2))))
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = buf, nowait = true, desc = 'Close' })
end

--- Write a page to a file, open it in the browser, and show its path.
---@param html string
function M.open_page(html)
  local folder = vim.fs.joinpath(vim.fn.stdpath('cache'), 'aide')
  vim.fn.mkdir(folder, 'p', tonumber('700', 8))
  local path = vim.fs.joinpath(folder, 'explain.html')
  vim.uv.fs_unlink(path) -- a new file, so that it gets this mode: the page contains source text
  local file = assert(vim.uv.fs_open(path, 'wx', tonumber('600', 8)))
  vim.uv.fs_write(file, html)
  vim.uv.fs_close(file)
  local _, problem = vim.ui.open(path)
  vim.notify(
    ('Aide: the explanation is in %s%s'):format(path, problem and '; no program to open it was found.' or '')
  )
end

--- The complete state in words.
---@param report table the answer of `aide.status`
---@param state? table the last `aide/status`
---@return string[]
function M.state(report, state)
  local function line(name, value)
    return ('%-12s %s'):format(name, value)
  end
  local lines = {
    line('State', report.state .. (report.message and (': ' .. report.message) or '')),
    line('Model', ('%s%s'):format(report.model, report.recipe and (', recipe ' .. report.recipe) or '')),
    line(
      'Device',
      (report.device or 'none yet') .. (report.deviceNote and (', ' .. report.deviceNote) or '')
    ),
    line('Version', report.version),
  }
  local shown, nothing = state and state.shown, state and state.nothing
  if shown then
    local pinned = shown.pinned and ', pinned' or ''
    table.insert(
      lines,
      line('Shown', ('seed %d, candidate %d%s'):format(shown.seed, shown.candidate + 1, pinned))
    )
  elseif nothing then
    table.insert(lines, line('Shown', ('no completion: %s'):format(nothing.message)))
  end
  local names = vim.tbl_keys(report.parameters or {})
  table.sort(names)
  for _, name in ipairs(names) do
    table.insert(lines, line(name, tostring(report.parameters[name])))
  end
  table.insert(lines, line('Accepted', ('%d completions'):format(report.accepted.count)))
  for _, problem in ipairs(report.settingsProblems or {}) do
    table.insert(lines, line('Problem', problem))
  end
  return lines
end

--- A proposal that addresses a complaint, with both completions.
---@param answer table the answer of `aide.troubleshoot`
---@return string[]
function M.proposal(answer)
  local lines = {}
  local function add(text)
    vim.list_extend(lines, vim.split(text, '\n', { plain = true }))
  end
  for _, sentences in ipairs({ answer.reasons or {}, answer.bounds or {} }) do
    vim.iter(sentences):each(add)
  end
  for _, part in ipairs({ { 'Before', answer.before }, { 'After', answer.after } }) do
    add('')
    add(part[1] .. ':')
    add(part[2].text ~= '' and part[2].text or ('(no completion: %s)'):format(part[2].message or ''))
  end
  return lines
end

--- The result of applying a proposal.
---@param answer table the answer of `aide.troubleshoot` with `apply`
---@return string
function M.applied(answer)
  if not answer.written then
    return answer.notWritten or answer.message or 'There was nothing to write.'
  end
  local overridden = answer.overridden or {}
  if #overridden > 0 then
    return ('Written to %s. %s has no effect yet: another place overrides it.'):format(
      answer.written,
      table.concat(overridden, ', ')
    )
  end
  return 'Written to ' .. answer.written
end

return M
