-- `:Aide troubleshoot`: what to change against a complaint, and the difference it makes at the cursor.

local report = require('aide.report')
local requests = require('aide.requests')

local M = {}

--- The text that both completions begin with on the screen: the line up to the cursor.
local function before_cursor(place)
  local line = vim.api.nvim_buf_get_lines(place.buf, place.row, place.row + 1, false)[1] or ''
  return line:sub(1, place.column)
end

--- The lines of a completion in the file.
local function lines_of(part, before)
  return vim.split(before .. part.text, '\n', { plain = true })
end

--- The difference between two completions, line by line.
---@param before string[]
---@param after string[]
---@return aide.Line[]
function M.difference(before, after)
  local lines, row = {}, 1
  local function add(from, first, count, sign, group)
    for i = first, first + count - 1 do
      table.insert(lines, { { sign .. from[i], group } })
    end
  end
  local text = table.concat(before, '\n') .. '\n'
  local hunks = (vim.text.diff or vim.diff)(
    text,
    table.concat(after, '\n') .. '\n',
    { result_type = 'indices' }
  )
  for _, hunk in
    ipairs(hunks --[[@as integer[][] ]])
  do
    local start_a, count_a, start_b, count_b = unpack(hunk)
    local first = count_a == 0 and start_a + 1 or start_a -- where nothing goes, the line before is given
    add(before, row, first - row, '  ')
    add(before, first, count_a, '- ', 'Removed')
    add(after, start_b, count_b, '+ ', 'Added')
    row = first + count_a
  end
  add(before, row, #before - row + 1, '  ')
  return lines
end

--- A proposal with the difference that it makes.
---@param answer table the answer of `aide.troubleshoot`
---@param before string the line up to the cursor
---@return aide.Line[]
function M.proposal(answer, before)
  local lines = {} ---@type aide.Line[]
  vim.list_extend(lines, answer.reasons or {})
  vim.list_extend(lines, answer.bounds or {})
  table.insert(lines, '')
  local title = ('What changes here, with seed %d:'):format(answer.before.parameters.seed)
  if not next(answer.changes) then
    title = 'The completion here, with these parameters:'
  elseif answer.before.text == answer.after.text then
    title = answer.before.text == '' and 'No completion here:' or 'The completion here stays the same:'
  end
  table.insert(lines, { { title, 'Title' } })
  vim.list_extend(lines, M.difference(lines_of(answer.before, before), lines_of(answer.after, before)))
  for _, part in ipairs({ { 'Before', answer.before }, { 'After', answer.after } }) do
    if part[2].text == '' then
      table.insert(lines, ('%s: no completion. %s'):format(part[1], part[2].message or ''))
    end
  end
  return lines
end

--- The result of applying a proposal.
---@param answer table the answer of `aide.troubleshoot` with `apply`
---@return string
local function applied(answer)
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
  return ('Written to %s.'):format(answer.written)
end

--- Show what helps against a complaint.
---@param complaint string
function M.run(complaint)
  requests.run_here('aide.troubleshoot', { complaint = complaint }, function(answer, place)
    if not answer.before then
      -- A report that was asked for does not just stay away, whatever the reason.
      return requests.show_message(answer.message)
    end
    local function apply()
      report.close()
      local again = { complaint = complaint, seed = answer.before.parameters.seed, apply = true }
      requests.run_at(place, 'aide.troubleshoot', again, function(result)
        requests.show_message(applied(result))
      end)
    end
    report.open('troubleshoot ' .. complaint, M.proposal(answer, before_cursor(place)), {
      keys = next(answer.changes) and { { 'a', apply, 'write the change to the project file' } } or {},
    })
  end)
end

return M
