-- Runs when Neovim starts, and does as little as possible: one command, the `<Plug>` mappings, and enabling
-- the server. `vim.g.aide = false` before it, or `require('aide').setup({ enabled = false })`, leaves the
-- server off.

if vim.g.loaded_aide or vim.g.aide == false then
  return
end
vim.g.loaded_aide = true

if vim.fn.has('nvim-0.11') == 0 then
  vim.notify('Aide needs Neovim 0.11 or newer.', vim.log.levels.WARN)
  return
end

vim.api.nvim_create_user_command('Aide', function(command)
  require('aide.commands').run(command.fargs)
end, {
  nargs = '*',
  desc = 'Aide: local code completions',
  complete = function(_, line)
    return require('aide.commands').complete(line)
  end,
})

for name, action in pairs({
  accept = { 'accept', 'all' },
  ['accept-word'] = { 'accept', 'word' },
  ['accept-line'] = { 'accept', 'line' },
  next = { 'cycle', 1 },
  previous = { 'cycle', -1 },
  dismiss = { 'dismiss' },
}) do
  vim.keymap.set('i', ('<Plug>(aide-%s)'):format(name), function()
    require('aide.completion')[action[1]](action[2])
  end, { desc = 'Aide: ' .. name })
end

for _, name in ipairs({ 'regenerate', 'previous-seed' }) do
  vim.keymap.set({ 'n', 'i' }, ('<Plug>(aide-%s)'):format(name), function()
    require('aide.commands').run({ name == 'regenerate' and name or 'previous' })
  end, { desc = 'Aide: ' .. name })
end

require('aide').start()
