-- Tests of `aide.edit`, which is pure: nvim -l edit_test.lua PLUGIN-FOLDER. Prints what is wrong; exit 1.

vim.opt.runtimepath:prepend(arg[1])
local edit = require('aide.edit')
local failed = false

local function check(what, got, expected)
  if not vim.deep_equal(got, expected) then
    failed = true
    print(('%s: expected %s, got %s'):format(what, vim.inspect(expected), vim.inspect(got)))
  end
end

local function range(from, to, row)
  return { start = { line = row or 3, character = from }, ['end'] = { line = row or 3, character = to } }
end

local line = 'wörld = tot(1)'
local at = #'wörld = tot'
local function made(item, encoding)
  return edit.from_item(item, 3, at, line, encoding or 'utf-8')
end

local plain = made({ insertText = 'al' })
check(
  'without a range',
  { plain.before, plain.text, plain.after, plain.delete },
  { 'wörld = tot', 'al', '(1)', 0 }
)
check('an empty range', made({ insertText = 'al', range = range(at, at) }).text, 'al')
check('over the word', made({ insertText = 'total', range = range(at - 3, at) }).text, 'al')
check('over the word, in UTF-16', made({ insertText = 'total', range = range(8, 11) }, 'utf-16').text, 'al')
check('over what follows', made({ insertText = 'al(2)', range = range(at, at + 3) }).delete, 3)
check('another word', made({ insertText = 'sum', range = range(at - 3, at) }), nil)
check('another line', made({ insertText = 'al', range = range(at, at, 4) }), nil)
check('nothing new', made({ insertText = 'tot', range = range(at - 3, at) }), nil)
check('a snippet value', made({ insertText = { kind = 'snippet', value = 'al' } }).text, 'al')
check('line ends of Windows', made({ insertText = 'al\r\nx' }).text, 'al\nx')

check('typed along', edit.follow(plain, 3, at + 1, 'wörld = tota(1)').text, 'l')
check('not typed yet', edit.follow(plain, 3, at, line).text, 'al')
check('typed to the end', edit.follow(plain, 3, at + 2, 'wörld = total(1)'), nil)
check('typed otherwise', edit.follow(plain, 3, at + 1, 'wörld = totx(1)'), nil)
check('a bracket closed by a plugin', edit.follow(plain, 3, at + 1, 'wörld = tota)(1)'), nil)
local call = edit.from_item({ insertText = '(a, b): c' }, 0, 3, 'sum', 'utf-8')
local closed = edit.follow(call, 0, 4, 'sum()')
check('closed by a plugin', { closed.text, closed.after, closed.delete }, { 'a, b): c', ')', 1 })
local over = edit.follow(closed, 0, 8, 'sum(a, b)')
check('on the way to it', { over.text, over.delete }, { '): c', 1 })
over = edit.follow(closed, 0, 9, 'sum(a, b)')
check('typed over', { over.text, over.after, over.delete }, { ': c', '', 0 })
check('another bracket', edit.follow(call, 0, 4, 'sum(]'), nil)
check('a bracket that is typed twice', edit.follow(call, 0, 4, 'sum(('), nil)
call = edit.from_item({ insertText = '([1])' }, 0, 3, 'sum', 'utf-8')
check('two of them', edit.follow(call, 0, 5, 'sum([])').delete, 2)

check('another row', edit.follow(plain, 4, at, line), nil)
check('deleted', edit.follow(plain, 3, at - 1, 'wörld = to(1)'), nil)

local body = edit.from_item({ insertText = 'a):\n  return a' }, 0, 4, 'def(', 'utf-8')
local inside = edit.follow_down(body, 1, 2, '  ', 'def(a):')
check('Enter along the text', { inside.row, inside.before, inside.text }, { 1, '  ', 'return a' })
check('further in the new line', edit.follow_down(body, 1, 4, '  re', 'def(a):').text, 'turn a')
check('Enter elsewhere', edit.follow_down(body, 1, 2, '  ', 'def(a)'), nil)
check('indented otherwise', edit.follow_down(body, 1, 4, '    ', 'def(a):'), nil)
check('two rows below', edit.follow_down(body, 2, 2, '  ', 'def(a):'), nil)
check('with something after it', edit.follow_down(body, 1, 2, '  )', 'def(a):'), nil)

local function cut(text, amount)
  return { edit.cut(text, amount) }
end
check('all', cut('a b\nc', 'all'), { 'a b\nc', '' })
check('a word', cut('total(prices)', 'word'), { 'total', '(prices)' })
check('a sign', cut('(prices)', 'word'), { '(', 'prices)' })
check('a word after blanks', cut('  + b', 'word'), { '  +', ' b' })
check('a word in the next line', cut('\n  return', 'word'), { '\n  return', '' })
check('a word of other letters', cut('größe 寸法', 'word'), { 'größe', ' 寸法' })
check('blanks only', cut('  ', 'word'), { '  ', '' })
check('a line', cut('a b\nc', 'line'), { 'a b', '\nc' })
check('the next line', cut('\nc\nd', 'line'), { '\nc', '\nd' })

local closing = require('aide.closing')
check('what is closed', vim.tbl_map(closing.of, { '(', '([', '("', '"(', 'f(a)', ')(', "it's (" }), {
  ')',
  '])',
  '")',
  ')"',
  '',
  ')',
  ")'",
})
check('how much a text closes', {
  closing.closed('a)', ')'),
  closing.closed('(a) + b', ')'),
  closing.closed('a", b)', '")'),
  closing.closed('a)', '])') or 'none',
  closing.closed("it's)", ')'),
}, { 1, 0, 2, 'none', 1 })

os.exit(failed and 1 or 0)
