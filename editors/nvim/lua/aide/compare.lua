-- `:Aide compare`: the completions at the cursor for a few temperatures and seeds, one below the other. They
-- come one by one; a key writes the values of one to the project file.

local client_of = require('aide.client')
local report = require('aide.report')
local requests = require('aide.requests')

local M = {}

M.temperatures = { 0, 0.4, 0.7, 1 }
local MOST = 8 -- temperatures: a comparison must end in a reasonable time

---@class aide.Cell
---@field title string
---@field parameters table
---@field answer? table what the server generated

---@class aide.Comparison
---@field place table see `completion.place`
---@field buf integer of the report
---@field cells aide.Cell[]
---@field current table what the settings in effect generate
---@field before string the line up to the cursor
---@field rows integer[] the cell of each line of the report; 0: none
---@field done integer how many cells have their answer

--- Read the temperatures that the user wrote; nil if they are invalid.
---@param words string[]
---@return number[]?
local function read(words)
  local found = {}
  for _, word in ipairs(words) do
    for text in word:gmatch('[^,]+') do
      local number = tonumber(text)
      if not number or number < 0 or number > 1 then
        return nil
      end
      table.insert(found, number)
    end
  end
  return #found <= MOST and found or nil
end

--- The completions to ask for. At Temperature 0 all seeds give the same text, so there is one.
---@param temperatures number[]
---@param seed integer
---@return aide.Cell[]
local function cells_of(temperatures, seed)
  local cells = {}
  for _, temperature in ipairs(temperatures) do
    for i = 0, temperature == 0 and 0 or 1 do
      local title = ('Temperature %s, %s'):format(
        tostring(temperature):gsub('%.0$', ''),
        temperature == 0 and 'any seed' or ('seed %d'):format(seed + i)
      )
      local parameters = { temperature = temperature, seed = temperature > 0 and seed + i or nil }
      table.insert(cells, { title = title, parameters = parameters })
    end
  end
  return cells
end

--- A note next to a title: what this completion has in common with others.
---@param comparison aide.Comparison
---@param number integer
---@return string
local function note(comparison, number)
  local text = comparison.cells[number].answer.insertText
  if text ~= '' and text == comparison.current.insertText then
    return '  the current text'
  end
  for i = 1, number - 1 do
    local other = comparison.cells[i]
    if text ~= '' and other.answer.insertText == text then
      return ('  same as %s'):format(other.title)
    end
  end
  return ''
end

--- Draw what has come so far.
---@param comparison aide.Comparison
local function draw(comparison)
  local lines, rows = {}, {} ---@type aide.Line[], integer[]
  for number, cell in ipairs(comparison.cells) do
    local function add(line)
      table.insert(lines, line)
      rows[#lines] = number
    end
    local answer = cell.answer
    add({ { cell.title, 'Title' }, { answer and note(comparison, number) or '', 'Comment' } })
    if not answer then
      add({ { '  …', 'Comment' } })
    elseif answer.insertText == '' then
      add({ { '  no completion: ' .. (answer.message or ''), 'Comment' } })
    else
      for i, line in ipairs(vim.split(answer.insertText, '\n', { plain = true })) do
        local before = i == 1 and vim.trim(comparison.before) or ''
        add({
          { '  ' },
          { before .. (before ~= '' and comparison.before:match('%s*$') or ''), 'Comment' },
          { line },
        })
      end
    end
    add('')
  end
  comparison.rows = rows
  report.fill(comparison.buf, lines)
  local window = vim.fn.bufwinid(comparison.buf)
  if window ~= -1 then
    local count = ('%d of %d'):format(comparison.done, #comparison.cells)
    report.title(window, comparison.done < #comparison.cells and 'compare, ' .. count or 'compare')
    vim.api.nvim_win_call(window, report.fit)
  end
end

--- Complete with parameters at a place. Not through `client.run`: it is canceled when the report is closed.
---@param place table
---@param parameters? table
---@param on_answer fun(answer: table)
---@return (fun())? cancel
local function complete(place, parameters, on_answer)
  local client = client_of.of(place.buf)
  if not client then
    return
  end
  local argument = client_of.place(client, place.buf, place.row, place.column)
  argument.parameters = parameters
  local params = { command = 'aide.complete', arguments = { argument } }
  local _, id = client:request('workspace/executeCommand', params, function(err, answer)
    on_answer(
      err and { insertText = '', message = err.message } or require('aide.json').without_nulls(answer)
    )
  end, place.buf)
  return function()
    client:cancel_request(id)
  end
end

--- Ask for one completion after the other, as long as the report is open.
---@param comparison aide.Comparison
local function proceed(comparison)
  local cell = comparison.cells[comparison.done + 1]
  if not cell or not vim.api.nvim_buf_is_valid(comparison.buf) then
    return
  end
  local cancel = complete(comparison.place, cell.parameters, function(answer)
    if vim.api.nvim_buf_is_valid(comparison.buf) then
      cell.answer, comparison.done = answer, comparison.done + 1
      draw(comparison)
      proceed(comparison)
    end
  end)
  vim.api.nvim_clear_autocmds({ event = 'BufWipeout', buffer = comparison.buf })
  vim.api.nvim_create_autocmd('BufWipeout', { buffer = comparison.buf, once = true, callback = cancel })
end

--- Write the values of the completion under the cursor, and show it.
---@param comparison aide.Comparison
local function adopt(comparison)
  local cell = comparison.cells[comparison.rows[vim.fn.line('.')] or 0]
  if not cell or not cell.answer then
    return
  end
  report.close()
  requests.run_at(
    comparison.place,
    'aide.writeParameters',
    { parameters = cell.parameters },
    function(answer, place)
      requests.show_message(answer.message, answer.reason)
      require('aide.completion').show_again(place)
    end
  )
end

--- Compare at the cursor.
---@param words string[] the temperatures; none: a few
function M.run(words)
  local temperatures = #words > 0 and read(words) or M.temperatures
  if #words > 0 and not read(words) then
    local text = 'Aide: "compare" takes up to %d temperatures between 0 and 1, such as 0 0.5 1.'
    return require('aide.message').warn(text:format(MOST))
  end
  local place = require('aide.completion').place()
  if not client_of.of(place.buf) then
    return require('aide.message').warn(require('aide.availability').reason(place.buf))
  end
  local line = vim.api.nvim_buf_get_lines(place.buf, place.row, place.row + 1, false)[1] or ''
  complete(place, nil, function(current)
    if not current.parameters then
      return requests.show_message(current.message, current.reason)
    end
    local comparison = { place = place, cells = cells_of(temperatures, current.parameters.seed), done = 0 }
    comparison.current, comparison.before, comparison.rows = current, line:sub(1, place.column), {}
    comparison.buf = report.open('compare', {}, {
      keys = {
        {
          '<CR>',
          function()
            adopt(comparison)
          end,
          'write these values to the project file',
        },
      },
    })
    draw(comparison)
    proceed(comparison)
  end)
end

return M
