-- The options of the plugin. The help's section on them is made from this file (`scripts/options.lua`).
-- What a completion is made with is no option of the plugin: that is the server's, see `settings`.

local M = {}

---@class aide.Keys
M.keys = {
  -- Take the whole completion. Where none is shown the key does what it did before.
  accept = '<Tab>', ---@type string|false
  -- Take the next word of it.
  accept_word = false, ---@type string|false
  -- Take the next line of it.
  accept_line = false, ---@type string|false
  -- Show the next of several completions; asks for some first.
  next = false, ---@type string|false
  -- Show the one before.
  previous = false, ---@type string|false
  -- Hide the completion until something is typed.
  dismiss = false, ---@type string|false
}

---@class aide.Options
M.defaults = {
  -- Start the server for the files that you open.
  enabled = true, ---@type boolean
  -- The server's command line; nil: `{ 'aide-lsp' }`.
  cmd = nil, ---@type string[]?
  -- Settings of the server, as in other editors but without the leading `aide.`: `{ topK = 40, seed = 7 }`.
  settings = {}, ---@type table<string, any>
  -- Show completions while you type. false: only when you ask, with `<Plug>(aide-next)`.
  automatic = true, ---@type boolean
  -- Say which of several completions is shown, such as `2/3`, at the end of the line.
  count = true, ---@type boolean
  -- Keys in insert mode, in buffers where Aide is at work; false: no key.
  keys = M.keys, ---@type aide.Keys
}

---@type aide.Options
M.options = vim.deepcopy(M.defaults)

--- Take the user's options; what is unknown is said once, and left out.
---@param options? table
function M.merge(options)
  local known = vim.deepcopy(options or {})
  for name in pairs(known) do
    if M.defaults[name] == nil and name ~= 'cmd' then
      known[name] = nil
      vim.notify(('Aide has no option "%s". See :help aide-options.'):format(name), vim.log.levels.WARN)
    end
  end
  M.options = vim.tbl_deep_extend('force', vim.deepcopy(M.defaults), known)
end

return M
