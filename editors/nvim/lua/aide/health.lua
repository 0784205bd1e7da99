-- `:checkhealth aide`: checks Neovim's version, the server, the current buffer, and the keys.

local M = {}

--- The file that the user came from: the report is in its own window.
local function file_buffer()
  for _, buf in ipairs({ vim.fn.bufnr('#'), unpack(vim.api.nvim_list_bufs()) }) do
    if buf > 0 and require('aide.client').is_eligible(buf) then
      return buf
    end
  end
end

local function check_server()
  local health, command = vim.health, require('aide.process').command()[1]
  if vim.fn.executable(command) == 0 then
    return health.error(('The language server "%s" was not found.'):format(command), {
      ':Aide install installs it.',
      'Or set its path: require("aide").setup({ cmd = { "/path/to/aide-lsp" } })',
    })
  end
  local done = vim.system({ command, '--version' }, { text = true }):wait(10000)
  if done.code ~= 0 then
    return health.error(('"%s --version" failed.'):format(command), { 'Reinstall the server.', done.stderr })
  end
  health.ok(('%s, %s'):format(vim.trim(done.stdout), vim.fn.exepath(command)))
end

local function check_buffer()
  local health, buf = vim.health, file_buffer()
  if not buf then
    return health.info('No file is open. Aide completes only in files.')
  end
  local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buf), ':t')
  name = name == '' and 'the buffer without a name' or name
  if not require('aide.client').of(buf) then
    return health.warn(('Aide is not active in %s.'):format(name), {
      ':Aide restart tries to start the server; :Aide log may say why it exited.',
    })
  end
  local status = require('aide.status').of(buf)
  local state = status and status.state or 'starting'
  local text = ('Active in %s: %s%s'):format(
    name,
    state,
    status and status.message and (', ' .. status.message) or ''
  )
  if status and status.server then
    health.info('Text is sent to ' .. require('aide.status').server_text(status.server) .. '.')
  end
  if state == 'failed' then
    return health.error(text, { 'Run "aide doctor" in a terminal: it suggests a fix.' })
  end
  health.ok(text)
  if status and status.nothing then
    health.info('No completion for the last request: ' .. status.nothing.message)
  end
end

function M.check()
  local health = vim.health
  health.start('Aide')
  if vim.fn.has('nvim-0.11') == 0 then
    return health.error('Aide needs Neovim 0.11 or newer.')
  end
  health.ok('Neovim ' .. tostring(vim.version()))
  if not vim.lsp.is_enabled('aide') then
    return health.warn('Aide is turned off.', {
      'Look for vim.g.aide = false, setup with enabled = false, or vim.lsp.enable("aide", false).',
    })
  end
  check_server()
  check_buffer()
  local keys = {}
  for name, key in pairs(require('aide.config').options.keys) do
    table.insert(keys, key and ('%s: %s'):format(name, key) or nil)
  end
  table.sort(keys)
  health.info('Keys in insert mode: ' .. (#keys > 0 and table.concat(keys, ', ') or 'none'))
end

return M
