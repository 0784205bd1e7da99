-- Restarts the server when it exits unexpectedly, with growing pauses and a limit, and attaches it again to
-- the same buffers.

local M = {}

-- About as vscode-languageclient does: a server that keeps crashing would take the machine's time.
M.limit = 5
M.within_seconds = 180
M.pause = 200 -- milliseconds: Neovim detaches a server after it says that it has exited
local crashes = {} ---@type number[] when, in seconds
local restarting = {} ---@type table<integer, true> clients whose servers were told to end

--- Handle an exit of the server. Neovim calls this in a fast context.
---@param code integer
---@param signal integer
---@param client_id integer
function M.exited(code, signal, client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  local asked = client and client.rpc.aide_end_asked
  if asked == nil then -- started by a custom `cmd`
    asked = code == 0 and (signal == 0 or signal == 15)
  end
  local buffers = client and vim.tbl_keys(client.attached_buffers) or {}
  local on_purpose = restarting[client_id]
  restarting[client_id] = nil
  vim.schedule(function()
    require('aide.status').forget(client_id)
    vim.list_extend(buffers, require('aide.unnamed').release(client_id))
    require('aide.client').started(nil)
    require('aide.completion').leave()
    if on_purpose then
      M.attach_soon(buffers, M.pause)
    elseif not asked and vim.v.exiting == vim.NIL then
      M.again(buffers)
    end
  end)
end

--- Forget earlier crashes: the user wants to try again.
function M.reset()
  crashes = {}
end

--- Whether the server exited so often that it is not restarted.
---@return boolean
function M.has_given_up()
  return #crashes > M.limit
end

--- Restart the server: end it, and start another one once it has ended. Until then its buffers are attached.
---@param client vim.lsp.Client
function M.on_purpose(client)
  restarting[client.id] = true
  client:stop(true)
end

--- Restart for these buffers after a growing pause.
---@param buffers integer[]
function M.again(buffers)
  local now = vim.uv.now() / 1000
  crashes = vim.tbl_filter(function(when)
    return now - when < M.within_seconds
  end, crashes)
  table.insert(crashes, now)
  if #crashes > M.limit then
    require('aide.message').show(
      ('Aide: the language server exited %d times within %d minutes and was not restarted. '):format(
        #crashes,
        M.within_seconds / 60
      ) .. ':Aide log may say why; :Aide restart tries again.',
      vim.log.levels.ERROR
    )
    return
  end
  M.attach_soon(buffers, M.pause * 2 ^ (#crashes - 1))
end

---@package
---@param buffers integer[]
---@param milliseconds number
function M.attach_soon(buffers, milliseconds)
  vim.defer_fn(function()
    for _, buf in ipairs(buffers) do
      if vim.api.nvim_buf_is_valid(buf) then
        require('aide.client').attach(buf)
      end
    end
  end, milliseconds)
end

return M
