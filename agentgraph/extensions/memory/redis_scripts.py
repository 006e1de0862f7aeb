"""The scripts of a Redis session, and the records that they keep beside its list.

For each text of the list, the string `rows` has a record of fixed length, made of digests of the
text's run and of the text; dashes stand for a text of no run. Other programs add and remove texts
at the end of the list. So the records are right from the beginning up to there, and a record counts
only if it fits its text. The hash `runs` has, of each run, the number and the name of its latest
save, and the process in which the run is at work.
"""

from __future__ import annotations

from hashlib import sha1

__all__ = [
    "APPEND",
    "CLAIM",
    "CONCURRENT",
    "REMOVE",
    "SAVE",
    "SET_OWNER",
    "WIDTH",
    "record_of",
]

CONCURRENT = -1
"""The script's answer if another run has saved under the key."""

_RUN, _TEXT = 16, 8
WIDTH = _RUN + _TEXT
"""The length of a record: of the digest of its run, and of the digest of its text."""

_GONE = "\0removed by agentgraph"
"""Stands for a moment in place of a text that is removed from the middle of the list."""

# If no other run wrote, the list ends with the run's items, so the script looks only at its end.
# It pushes moved items before it removes the old ones: a list that is empty for a moment would lose
# its time to live.
SAVE = f"""
local list, rows, runs = KEYS[1], KEYS[2], KEYS[3]
local run, position, write, owner = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local name = string.sub(redis.sha1hex(run), 1, {_RUN})
local function record(text) return name .. string.sub(redis.sha1hex(text), 1, {_TEXT}) end
local saved = redis.call('HGET', runs, run)
if saved then
  local count, latest = string.match(saved, '^(%d+) (%S+)')
  if tonumber(count) == position + 1 and latest == write then return 0 end
  if tonumber(count) > position then return {CONCURRENT} end
end
local length, known = redis.call('LLEN', list), redis.call('STRLEN', rows) / {WIDTH}
if length == 0 then
  redis.call('DEL', rows)
elseif known > length then
  redis.call('SET', rows, redis.call('GETRANGE', rows, 0, length * {WIDTH} - 1))
elseif known < length then
  redis.call('APPEND', rows, string.rep('-', (length - known) * {WIDTH}))
end
if position > 0 and length > 0
    and redis.call('GETRANGE', rows, -{WIDTH}, -1) ~= record(redis.call('LINDEX', list, -1)) then
  local records, kept, moved = redis.call('GET', rows), {{}}, {{}}
  for index, text in ipairs(redis.call('LRANGE', list, 0, -1)) do
    local one = string.sub(records, (index - 1) * {WIDTH} + 1, index * {WIDTH})
    if string.sub(one, 1, {_RUN}) == name and one == record(text) then
      -- a text that an older version has marked loses its mark
      moved[#moved + 1] = string.gsub(text, '%s+$', '')
      redis.call('LSET', list, index - 1, '{_GONE}')
    else
      kept[#kept + 1] = one
    end
  end
  for _, text in ipairs(moved) do
    redis.call('RPUSH', list, text)
    kept[#kept + 1] = record(text)
  end
  redis.call('LREM', list, 0, '{_GONE}')
  redis.call('SET', rows, table.concat(kept))
end
for index = 5, #ARGV do
  redis.call('RPUSH', list, ARGV[index])
  redis.call('APPEND', rows, record(ARGV[index]))
end
redis.call('HSET', runs, run, position + 1 .. ' ' .. write .. ' ' .. owner)
return 0
"""
"""Append texts to those of a run, wherever they are, unless this save was done before."""

APPEND = """
if redis.call('HGET', KEYS[2], 'updated_at') == ARGV[1] then return 0 end
for index = 2, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[index]) end
return 0
"""
"""Append texts of no run, unless this was the latest write."""

CLAIM = f"""
local list, rows, runs, count = KEYS[1], KEYS[2], KEYS[3], #ARGV - 3
local length, name = redis.call('LLEN', list), string.sub(redis.sha1hex(ARGV[1]), 1, {_RUN})
local first, records = (length - count) * {WIDTH}, {{}}
if redis.call('GETRANGE', rows, first, length * {WIDTH} - 1) ~= ARGV[3] then return 0 end
for index = 4, #ARGV do
  if redis.call('LINDEX', list, index - 4 - count) ~= ARGV[index] then return 0 end
  records[index - 3] = name .. string.sub(redis.sha1hex(ARGV[index]), 1, {_TEXT})
end
local known = redis.call('STRLEN', rows)
if known < first then redis.call('APPEND', rows, string.rep('-', first - known)) end
redis.call('SETRANGE', rows, first, table.concat(records))
redis.call('HSET', runs, ARGV[1], '1 - ' .. ARGV[2])
return 1
"""
"""Give the latest texts to a run if they and their records are still these."""

SET_OWNER = """
local saved = redis.call('HGET', KEYS[1], ARGV[1])
if saved and (ARGV[2] == '*' or string.match(saved, '%S*$') == ARGV[2]) then
  redis.call('HSET', KEYS[1], ARGV[1], string.match(saved, '^%d+ %S+ ') .. ARGV[3])
end
"""
"""Record in which process a run is at work, if it was in another; `*` stands for any."""

REMOVE = f"""
local list, rows, place = KEYS[1], KEYS[2], tonumber(ARGV[1])
if redis.call('LINDEX', list, place) ~= ARGV[2] then return 0 end
local length, records = redis.call('LLEN', list), redis.call('GET', rows)
redis.call('LSET', list, place, '{_GONE}')
redis.call('LREM', list, -1, '{_GONE}')
local before = (length + place) * {WIDTH}
if place < -1 and records and #records > before then
  records = string.sub(records, 1, before) .. string.sub(records, before + {WIDTH} + 1)
  redis.call('SET', rows, records)
end
return 1
"""
"""Remove a text, with its record, if it is still in its place, counted from the end."""


def record_of(run: str | bytes, text: str | bytes) -> str:
    """Return the record of a text of a run."""
    return _digest(run, _RUN) + _digest(text, _TEXT)


def _digest(value: str | bytes, length: int) -> str:
    return sha1(value.encode() if isinstance(value, str) else value).hexdigest()[:length]
