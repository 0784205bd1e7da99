-- Closes brackets and quotes as VS Code does by default, and as Neovim's plugins for it do.

local closing = { ['('] = ')', ['['] = ']', ['{'] = '}' }
local quotes = { '"', "'", '`' }

local function around()
  local column, line = vim.fn.col('.') - 1, vim.api.nvim_get_current_line()
  return line:sub(column, column), line:sub(column + 1, column + 1)
end

local function map(key, code)
  vim.keymap.set('i', key, code, { expr = true, replace_keycodes = true })
end

for open, close in pairs(closing) do
  map(open, function()
    local _, right = around()
    return right:match('^[%s%)%]}]?$') and open .. close .. '<C-g>U<Left>' or open
  end)
  map(close, function()
    local _, right = around()
    return right == close and '<C-g>U<Right>' or close
  end)
end
for _, quote in ipairs(quotes) do
  map(quote, function()
    local left, right = around()
    if right == quote then
      return '<C-g>U<Right>'
    end
    local opens = not left:match('[%w_%' .. quote .. ']') and right:match('^[%s%)%]}]?$')
    return opens and quote .. quote .. '<C-g>U<Left>' or quote
  end)
end
map('<CR>', function()
  local left, right = around()
  return closing[left] == right and '<CR><C-o>O' or '<CR>'
end)
map('<BS>', function()
  local left, right = around()
  local pair = closing[left] == right or (left == right and vim.tbl_contains(quotes, left))
  return pair and '<BS><Del>' or '<BS>'
end)
