-- Chooses the color of the ghost text: fainter than the code, readable on the background, and unlike that of
-- comments, in true color and in the 256, 16, or 8 colors of a terminal. A link to `Comment` would not do: in
-- Neovim's own scheme that has a color only where there is true color.

local M = {}

local READABLE = 3.5 -- least contrast with the background: that of large text in WCAG 2, and a bit more
local FAINT, STRONG = 0.5, 0.8 -- how much of the code's color is left: as little as is readable

-- Without these, a terminal's own colors are in use: only whether its background is dark is known.
local PAPER = { dark = 0x000000, light = 0xffffff }
local INK = { dark = 0xe0e0e0, light = 0x202020 }

-- Of 16 or 8 colors, those that are readable on black and on white: bright black (gray), magenta, cyan.
local FEW = { 8, 5, 6 }

local defined = {} ---@type table<string, table> what we last set, as Neovim gives it back

---@param color integer
---@return integer red, integer green, integer blue
local function parts(color)
  return math.floor(color / 65536) % 256, math.floor(color / 256) % 256, color % 256
end

--- The relative luminance of WCAG 2.
---@param color integer
---@return number
local function luminance(color)
  local sum, weights = 0, { 0.2126, 0.7152, 0.0722 }
  for i, part in ipairs({ parts(color) }) do
    local share = part / 255
    sum = sum + weights[i] * (share <= 0.04045 and share / 12.92 or ((share + 0.055) / 1.055) ^ 2.4)
  end
  return sum
end

--- The contrast of two colors, from 1 to 21.
---@param one integer
---@param other integer
---@return number
function M.contrast(one, other)
  local a, b = luminance(one) + 0.05, luminance(other) + 0.05
  return math.max(a, b) / math.min(a, b)
end

---@param ink integer
---@param paper integer
---@param share number of the ink
---@return integer
local function mix(ink, paper, share)
  local mixed, from = 0, { parts(paper) }
  for i, part in ipairs({ parts(ink) }) do
    mixed = mixed * 256 + math.floor(part * share + from[i] * (1 - share) + 0.5)
  end
  return mixed
end

--- The faintest color between these two that is readable on the second.
---@param ink integer
---@param paper integer
---@param is_taken? fun(color: integer): boolean
---@return integer
function M.faint(ink, paper, is_taken)
  for share = FAINT, STRONG, 0.05 do
    local color = mix(ink, paper, share)
    if M.contrast(color, paper) >= READABLE and not (is_taken and is_taken(color)) then
      return color
    end
  end
  return mix(ink, paper, STRONG)
end

local STEPS = { [0] = 0, 95, 135, 175, 215, 255 } -- of the cube of 256 colors

--- The value of one of the 240 fixed colors; the first 16 are the terminal's.
---@param index integer
---@return integer
function M.fixed(index)
  if index >= 232 then
    return (8 + 10 * (index - 232)) * 0x010101
  end
  local at = index - 16
  return STEPS[math.floor(at / 36)] * 65536 + STEPS[math.floor(at / 6) % 6] * 256 + STEPS[at % 6]
end

--- The fixed color that is nearest to a value.
---@param color integer
---@return integer index
function M.nearest(color)
  local best, least = 16, math.huge
  local red, green, blue = parts(color)
  for index = 16, 255 do
    local r, g, b = parts(M.fixed(index))
    local distance = (r - red) ^ 2 + (g - green) ^ 2 + (b - blue) ^ 2
    if distance < least then
      best, least = index, distance
    end
  end
  return best
end

---@param name string
---@return vim.api.keyset.get_hl_info
local function group(name)
  return vim.api.nvim_get_hl(0, { name = name, link = false })
end

--- How many colors the terminal has.
---@return integer
local function count()
  return tonumber(vim.fn.eval('&t_Co')) or 0
end

--- The color's index for a terminal without true color; nil: it has no colors.
---@param normal table
---@param comment table
---@param colors integer
---@return integer?
local function index(normal, comment, colors)
  local theme = vim.o.background
  local function value(number, default)
    return number and number >= 16 and M.fixed(number) or default[theme]
  end
  if colors >= 256 then
    local ink, paper = value(normal.ctermfg, INK), value(normal.ctermbg, PAPER)
    return M.nearest(M.faint(ink, paper, function(color)
      return M.nearest(color) == comment.ctermfg
    end))
  end
  for _, color in ipairs(FEW) do
    local is_taken = color == normal.ctermfg or color == normal.ctermbg or color == comment.ctermfg
    if color < colors and not is_taken then
      return color
    end
  end
end

--- Define a group, unless a color scheme or the user has.
---@param name string
---@param values vim.api.keyset.highlight
local function define(name, values)
  local now = vim.api.nvim_get_hl(0, { name = name })
  if next(now) == nil or vim.deep_equal(now, defined[name]) then
    vim.api.nvim_set_hl(0, name, values)
    defined[name] = vim.api.nvim_get_hl(0, { name = name })
  end
end

--- Define the groups for the current color scheme.
function M.define()
  local normal, comment, colors = group('Normal'), group('Comment'), count()
  local ink, paper = normal.fg or INK[vim.o.background], normal.bg or PAPER[vim.o.background]
  define('AideGhost', {
    fg = M.faint(ink, paper),
    italic = not comment.italic, -- where comments have the same gray
    ctermfg = index(normal, comment, colors),
    cterm = {
      italic = not (comment.cterm and comment.cterm.italic),
      underline = colors < 8, -- nothing else is sure to be visible
    },
  })
  define('AideCount', { link = 'AideGhost' })
end

return M
