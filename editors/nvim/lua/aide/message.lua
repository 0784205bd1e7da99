-- Shows messages to the user. One that is longer than the message line waits until insert mode ends: Neovim
-- would ask for a key press in the middle of a word.

local M = {}

local waiting = {} ---@type [string, integer][]

---@param text string
---@param level? integer
function M.show(text, level)
  local fits = not text:find('\n') and vim.fn.strdisplaywidth(text) < vim.v.echospace
  if fits or vim.api.nvim_get_mode().mode:sub(1, 1) ~= 'i' then
    return vim.notify(text, level or vim.log.levels.INFO)
  end
  table.insert(waiting, { text, level })
  if #waiting == 1 then
    vim.api.nvim_create_autocmd('InsertLeave', {
      once = true,
      callback = function()
        local messages = waiting
        waiting = {}
        for _, message in ipairs(messages) do
          vim.schedule_wrap(M.show)(message[1], message[2])
        end
      end,
    })
  end
end

function M.warn(text)
  M.show(text, vim.log.levels.WARN)
end

return M
