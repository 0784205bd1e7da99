-- How Neovim starts the language server: read by `vim.lsp.config`, started by `vim.lsp.enable('aide')`.
-- All file types. Neovim attaches to files; `lua/aide/unnamed.lua` does to buffers without a name.

return {
  cmd = function(dispatchers, config)
    return require('aide.process').start(dispatchers, config)
  end,
  root_markers = { '.aide.toml', 'pyproject.toml', '.git' },

  ---@param buf integer
  ---@param on_dir fun(dir: string?)
  root_dir = function(buf, on_dir)
    local client = require('aide.client')
    local is_named = vim.api.nvim_buf_get_name(buf) ~= ''
    if is_named and client.is_eligible(buf) and client.is_installed() then
      on_dir(client.root(buf))
    end
  end,

  -- One server for all projects: each would hold a model of its own in memory.
  reuse_client = function(client, config)
    return client.name == config.name and not client:is_stopped()
  end,

  capabilities = {
    -- Neovim 0.11 does not announce it automatically.
    textDocument = { inlineCompletion = { dynamicRegistration = false } },
    -- Aide's own notifications, `aide/status` and `aide/ready`; a completion's first lines before the rest.
    experimental = { aide = { firstLines = true } },
  },

  handlers = {
    ['aide/status'] = function(_, status, context)
      require('aide.status').receive(context.client_id, status)
    end,
    ['aide/ready'] = function(_, ready)
      require('aide.completion').ready(ready)
    end,
    ['window/showMessage'] = function(_, message)
      require('aide.message').warn(message.message)
    end,
    ['window/showMessageRequest'] = function(_, request)
      return require('aide.question').answer(request)
    end,
    ['window/logMessage'] = function(_, message)
      require('aide.log').add(message)
    end,
  },

  on_exit = function(code, signal, client_id)
    require('aide.restart').exited(code, signal, client_id)
  end,
}
