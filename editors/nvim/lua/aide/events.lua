-- Connects events of Neovim to their handlers.

local M = {}

--- Start listening.
function M.listen()
  local group = vim.api.nvim_create_augroup('aide', {})
  local function on(events, callback)
    vim.api.nvim_create_autocmd(events, { group = group, callback = callback })
  end

  on({ 'TextChangedI', 'TextChangedP', 'CursorMovedI' }, function(event)
    if require('aide.client').of(event.buf) then
      require('aide.completion').update()
    end
  end)
  -- Scheduled: the mode is not changed yet, or the menu not open or closed.
  on({ 'InsertEnter', 'CompleteChanged', 'CompleteDone' }, function(event)
    vim.schedule(function()
      if vim.api.nvim_get_current_buf() == event.buf and require('aide.client').of(event.buf) then
        require('aide.completion').update()
      end
    end)
  end)
  on({ 'InsertLeave', 'BufLeave', 'WinLeave' }, function()
    require('aide.completion').leave()
  end)
  on({ 'CursorMoved', 'BufEnter' }, function(event)
    if require('aide.client').of(event.buf) then
      require('aide.cursor').update()
    end
  end)
  on({ 'InsertEnter', 'FileType' }, function(event)
    require('aide.client').attach(event.buf)
  end)
  -- A document cannot change its name: it is closed, and opened again under the new one.
  on('BufFilePre', function(event)
    require('aide.client').detach(event.buf)
  end)
  -- Scheduled: a terminal has its name before it is one, and what it prints is nobody's text.
  on('BufFilePost', function(event)
    vim.schedule(function()
      if vim.api.nvim_buf_is_valid(event.buf) then
        require('aide.client').attach(event.buf)
      end
    end)
  end)
  on({ 'BufWritePost', 'BufReadPost', 'BufNewFile' }, function(event) -- no `BufFilePre` for a first name
    if vim.api.nvim_buf_get_name(event.buf) ~= '' and require('aide.unnamed').detach(event.buf) then
      require('aide.client').attach(event.buf)
    end
  end)
  on('BufUnload', function(event)
    require('aide.unnamed').detach(event.buf)
  end)
  on('LspAttach', function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'aide' then
      if vim.lsp.inline_completion then -- the user may have enabled Neovim's own for all servers
        vim.lsp.inline_completion.enable(false, { client_id = client.id })
      end
      require('aide.client').welcome(client, event.buf)
      require('aide.install').check(client)
    end
  end)
  on('LspDetach', function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'aide' then
      require('aide.completion').leave()
    end
  end)
  -- `UIEnter`: only then is known how many colors the terminal has.
  on({ 'ColorScheme', 'UIEnter' }, require('aide.colors').define)
  vim.api.nvim_create_autocmd('OptionSet', {
    group = group,
    pattern = 'background',
    callback = require('aide.colors').define,
  })
  -- A plugin may say only after it has filled a buffer that this is no file.
  vim.api.nvim_create_autocmd('OptionSet', {
    group = group,
    pattern = 'buftype',
    callback = function()
      local buf, client = vim.api.nvim_get_current_buf(), require('aide.client')
      if vim.bo[buf].buftype ~= '' and not client.is_eligible(buf) then
        client.detach(buf)
      end
    end,
  })
end

return M
