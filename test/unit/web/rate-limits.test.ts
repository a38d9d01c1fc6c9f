import { expect, test } from 'vitest'
import { addressOf, originOf } from '../../../src/web/rate-limits.js'

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', '']
])('the address %s counts as %s', (ip, counted) => {
  expect(addressOf({ ip })).toBe(counted)
})

test.each([
  ['192.0.2.1', undefined],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
  ['2001:db8::1', '2001:db8:0::/48']
])('the address %s is in the network %s', (ip, network) => {
  expect(originOf({ ip }).network).toBe(network)
})
