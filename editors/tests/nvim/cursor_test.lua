-- Tests of `aide.cursor` on a clock of its own: nvim -l cursor_test.lua PLUGIN-FOLDER. Prints what is
-- wrong; exit 1.

vim.opt.runtimepath:prepend(arg[1])

local clock, due, sent = 0, nil, {}
local client = {
  id = 1,
  notify = function(_, _, place)
    place.exact = nil
    table.insert(sent, { clock, place })
  end,
}
package.loaded['aide.client'] = {
  of = function()
    return client
  end,
  place = function(_, _, row, column)
    return { row, column }
  end,
}
local timer = {
  start = function(_, after, _, callback)
    due = { at = clock + after, callback = callback }
  end,
}
vim.uv = setmetatable({
  now = function()
    return clock
  end,
  new_timer = function()
    return timer
  end,
}, { __index = vim.uv })
vim.schedule = function(callback)
  callback()
end
vim.schedule_wrap = function(callback)
  return callback
end
local cursor = require('aide.cursor')
local failed = false

local function wait_until(time)
  if due and due.at <= time then
    local callback = due.callback
    clock, due = due.at, nil
    callback()
  end
  clock = time
end

--- Move to a line at each time, and check what was sent when.
local function check(what, moves, expected)
  sent = {}
  for _, move in ipairs(moves) do
    wait_until(move[1])
    vim.api.nvim_win_set_cursor(0, { move[2], move[3] or 0 })
    cursor.update()
  end
  wait_until(clock + 10000)
  if not vim.deep_equal(sent, expected) then
    failed = true
    print(('%s: expected %s, got %s'):format(what, vim.inspect(expected), vim.inspect(sent)))
  end
end

local lines = {}
for number = 1, 100 do
  lines[number] = ('é = %d'):format(number % 10)
end
vim.api.nvim_buf_set_lines(0, 0, -1, false, lines)

check('a jump', { { 0, 5 } }, { { 0, { 4, 0 } } })
check('the same place', { { 20000, 5 } }, {})
check('another jump soon after', { { 40000, 6 }, { 40300, 7 } }, { { 40000, { 5, 0 } }, { 40400, { 6, 0 } } })
local held = { { 60000, 8 } } -- it begins to repeat after half a second, 30 times a second
for number = 1, 60 do
  held[number + 1] = { 60500 + 33 * number, 8 + number }
end
check('a key that is held down', held, { { 60000, { 7, 0 } }, { 60500 + 33 * 60 + 100, { 67, 0 } } })
check('within a line', { { 80000, 8, 3 } }, { { 80000, { 7, 3 } } })
check('the last character', { { 100000, 8, 5 } }, { { 100000, { 7, 6 } } })
vim.api.nvim_buf_set_lines(0, 0, 3, false, { '', 'né', 'x' })
check('an empty line', { { 120000, 1 } }, { { 120000, { 0, 0 } } })
check('a last character of two bytes', { { 140000, 2, 1 } }, { { 140000, { 1, 3 } } })
vim.o.virtualedit = 'onemore'
check('behind the last character', { { 160000, 2, 3 } }, { { 160000, { 1, 3 } } })
check('an empty line that one can go behind', { { 180000, 1 } }, { { 180000, { 0, 0 } } })
sent = {}
cursor.again()
if #sent ~= 1 then
  failed = true
  print('not sent again: ' .. vim.inspect(sent))
end
os.exit(failed and 1 or 0)
