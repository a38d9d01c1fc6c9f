import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { archivePart, openUploadReader, post, tweetsJs, zip } from '../../../support/archive.js'

const { read, readAll, texts, refusal } = openUploadReader()
const csv = (header: string, ...rows: string[]): string => [header, ...rows].join('\n')
const lines = (...records: object[]): string => records.map((record) => JSON.stringify(record)).join('\n')
const KETTLE = { username: 'kettle_friend' }

describe('others’ words', () => {
  test.each([
    ['retweet', '1', '0'], ['is_retweet', 'TRUE', 'FALSE'], ['isRetweet', 'True', 'NA'], ['retweeted', 'yes', 'None'], ['post_type', 'RETWEET', ''], ['sourcetweet_type', 'retweeted', 'NaN'],
    ['retweeted_status_id', '17', ''], ['retweeted_status.user.screen_name', 'tram', 'null'], ['retweet_userid', 'x7=', ''], ['referenced_tweets', "[{'type': 'retweeted', 'id': '5'}]", '[]']
  ])('are told by the column %s: %s is a repost, %s is none', async (column, yes, no) => {
    const { tweets, report } = await read(csv(`text,${column}`, `of another,"${yes}"`, `my own,"${no}"`), 'a.csv')
    expect([tweets.map(({ text }) => text), report.dropped.retweets]).toEqual([['my own'], 1])
  })

  test.each([['is_reply_to', '1', '0'], ['inReplyToTweetId', '99', 'nan'], ['in_reply_to_screen_name', 'tram', ''], ['is_reply', 'True', 'False'], ['referenced_tweets.replied_to.id', '12', '']])(
    'are not answered: the column %s tells a reply by %s, none by %s', async (column, yes, no) => {
      const { tweets, report } = await read(csv(`text,${column}`, `an answer,${yes}`, `my own,${no}`), 'a.csv')
      expect([tweets.map(({ text }) => text), report.dropped.replies]).toEqual([['my own'], 1])
    })

  test('are told by the marks of the time before the button', async () => {
    expect(await texts('RT: @tram late\n"RT @tram: late"\nMT @tram late\nrt  @tram late\n"@tram: late"\nmine\n', 'a.txt')).toEqual(['mine'])
  })

  test('are not meant by a count, nor by what one has reposted oneself', async () => {
    expect(await texts(csv('text,retweeted', 'popular,14', 'not so,0'), 'a.csv')).toEqual(['popular', 'not so'])
    expect(await texts(lines({ text: 'my own', retweeted: true, retweet_count: 3 }), 'a.jsonl')).toEqual(['my own'])
  })
})

describe('several authors', () => {
  const file = csv('id,username,text', '4,tram,ding', '3,kettle_friend,hiss', '2,tram,dong', '1,kettle_friend,steam')

  test('are told apart by the name that was typed', async () => {
    const { tweets, report } = await read(file, 'a.csv', KETTLE)
    expect(tweets.map(({ text }) => text)).toEqual(['hiss', 'steam'])
    expect(report).toMatchObject({ read: 4, kept: 2, dropped: { others: 2 }, authors: [{ name: 'tram', posts: 2 }, { name: 'kettle_friend', posts: 2 }] })
  })

  test('are asked about where the name is none of theirs, and each is taken by itself', async () => {
    const question = await read(file, 'a.csv', { username: 'someone' }).catch((error) => error)
    expect(question).toMatchObject({ about: 'authors', choices: [{ name: 'tram', posts: 2 }, { name: 'kettle_friend', posts: 2 }] })
    const people = await readAll(file, 'a.csv', { authors: ['tram', 'kettle_friend'] })
    expect(people.map(({ name, tweets }) => [name, tweets.map(({ text }) => text)])).toEqual([['tram', ['ding', 'dong']], ['kettle_friend', ['hiss', 'steam']]])
  })

  test.each([
    ['user.screen_name', { text: 'a', user: { screen_name: 'tram' } }, { text: 'b', user: { screen_name: 'heron' } }],
    ['author.username', { text: 'a', author: { username: 'tram' } }, { text: 'b', author: { username: 'heron' } }],
    ['account.acct', { content: '<p>a</p>', account: { acct: 'tram@example.org' } }, { content: '<p>b</p>', account: { acct: 'heron' } }]
  ])('are known by %s', async (_, first, second) => {
    expect(await texts(lines(first, second), 'a.jsonl', { username: 'tram' })).toEqual(['a'])
  })

  test('are not made of numbers, nor of one author who is called otherwise here', async () => {
    expect(await texts(csv('ScreenName,text', '48752,a b', '48753,c d'), 'a.csv', KETTLE)).toEqual(['a b', 'c d'])
    expect(await texts(csv('author,text', 'tram,a b', 'tram,c d'), 'a.csv', KETTLE)).toEqual(['a b', 'c d'])
  })
})

describe('whole posts', () => {
  const whole = `${'a ledger of bread '.repeat(20)}and nobody hungry.`
  const cut = `${whole.slice(0, 275)}…`
  const note = archivePart([{ noteTweet: { noteTweetId: '7', createdAt: '2018-10-10T20:19:24.000Z', core: { text: whole } } }]).replace('tweets', 'note_tweet')

  test('come from note-tweet.js beside tweets.js, once', async () => {
    const archive = zip([{ name: 'data/note-tweet.js', data: note }, { name: 'data/tweets.js', data: tweetsJs(post(cut), post('short', { id_str: '2' })) }])
    const { tweets, report } = await read(archive, 'a.zip')
    expect(tweets.map(({ text }) => text).sort()).toEqual([whole, 'short'])
    expect(report).toMatchObject({ read: 2, kept: 2, completed: 1 })
  })

  test('come from the fields that hold them', async () => {
    expect(await texts(lines({ text: cut, note_tweet: { text: whole } }), 'a.jsonl')).toEqual([whole])
    expect(await texts(lines({ text: cut, extended_tweet: { full_text: whole } }), 'a.jsonl')).toEqual([whole])
  })

  test('are a thread where one answers oneself: by name, by id, or because the post that is answered is one’s own', async () => {
    const thread = [post('two', { id_str: '12', in_reply_to_status_id_str: '11', in_reply_to_user_id_str: '42' }), post('one', { id_str: '11' })]
    const later = [post('part', { id_str: '10', in_reply_to_status_id_str: '3', in_reply_to_user_id_str: '42' }), post('no', { id_str: '9', in_reply_to_user_id_str: '77' })]
    expect(await texts(tweetsJs(...thread, ...later), 'tweets.js')).toEqual(['two', 'one', 'part'])
    expect(await texts(tweetsJs(post('part', { in_reply_to_screen_name: 'Kettle_Friend' })), 'tweets.js', KETTLE)).toEqual(['part'])
  })

  test('are there once for all their versions, as last edited', async () => {
    const edit_info = { initial: { editTweetIds: ['11', '12'] } }
    const { tweets, report } = await read(tweetsJs(post('the end', { id_str: '12', edit_info }), post('teh end', { id_str: '11', edit_info })), 'tweets.js')
    expect([tweets.map(({ text }) => text), report.dropped.versions]).toEqual([['the end'], 1])
  })
})

describe('dates', () => {
  test.each([
    'Wed Oct 10 20:19:24 UTC 2018', 'Wed, 10 Oct 2018 20:19:24 GMT', 'Oct 10, 2018 8:19:24 PM', 'October 10, 2018 at 08:19:24PM', '10 Oct 2018, 20:19:24', '2018/10/10 20:19:24', '20181010T201924Z', '1539202764.0', '1.539202764E9',
    'Wed Oct 10 13:19:24 PDT 2018', '2018-10-10 22:19:24 CEST', '2018-10-10T20:19:24+00:00', '8:19:24 PM · Oct 10, 2018'
  ])('are read as %s', async (date) => {
    const { tweets } = await read(csv('text,date', `tea,"${date}"`), 'a.csv')
    expect(tweets[0].createdAt?.toISOString()).toBe('2018-10-10T20:19:24.000Z')
  })

  test.each([
    ['a number above 12', ['01-02-2020', '02-10-2020', '12-31-2020'], 'month'],
    ['a number above 12', ['1/2/2020', '10/2/2020', '31/12/2020'], 'day'],
    ['what runs in order', ['03.10.2017 9:00', '04.10.2017 9:00', '05.11.2017 9:00'], 'day'],
    ['what runs in order', ['03/10/2017', '04/11/2017', '05/02/2018', '05/03/2018', '06/01/2018'], 'month']
  ])('tell by %s whether the day or the month comes first', async (_, dates, order) => {
    const { tweets, report } = await read(csv('text,date', ...dates.map((date, i) => `post ${i},${date}`)), 'a.csv')
    expect(tweets.map(({ text }) => text)).toEqual(dates.map((_, i) => `post ${i}`).reverse())
    expect(report.dates.order).toBe(order)
  })

  test('that are not understood are counted, with one of them', async () => {
    const { report } = await read(csv('text,date', 'a,soon', 'b,2018-10-10', 'c,'), 'a.csv')
    expect(report.dates).toMatchObject({ read: 1, none: 1, odd: 1, example: 'soon' })
  })
})

describe('columns', () => {
  test.each(['Tweet text', 'Post text', 'tweet_text', 'rawContent', 'OriginalTweet', 'Tweets', 'message', 'body', 'content'])('of texts may be called %s', async (name) => {
    expect(await texts(csv(`n,${name}`, '1,"rain, then tea"', '2,tea'), 'a.csv')).toEqual(['rain, then tea', 'tea'])
  })

  test('that nobody knows are taken where one alone holds sentences, and asked about where two do', async () => {
    expect(await texts(csv('n,Gedanke', '1,"rain, then tea"', '2,tea again'), 'a.csv')).toEqual(['rain, then tea', 'tea again'])
    const two = csv('Gedanke,Laune', 'rain then tea,a little sad', 'tea again now,quite happy now')
    expect(await read(two, 'a.csv').catch((error) => error)).toMatchObject({ about: 'text', choices: [{ name: 'Gedanke' }, { name: 'Laune' }] })
    expect(await texts(two, 'a.csv', { text: 'Gedanke' })).toEqual(['rain then tea', 'tea again now'])
  })

  test('of numbers are no texts', async () => {
    expect(await refusal(csv('Date,Stock,Tweet', '10/30/18,329.9,5', '10/29/18,334.85,3'), 'a.csv')).toMatch(/none of the columns holds sentences/)
  })

  test('need no names, and a line that names the separator is none', async () => {
    expect(await texts('kettle_friend,1452824609,Fog again this morning\nkettle_friend,1452821009,"Fog, and no ferry"\n', 'a.csv')).toEqual(['Fog again this morning', 'Fog, and no ferry'])
    expect(await texts('sep=;\r\nid;text\r\n1;rain, tea\r\n', 'a.csv')).toEqual(['rain, tea'])
  })
})

describe('odd lines', () => {
  const good = Array.from({ length: 30 }, (_, i) => `${i},post ${i}`)

  test('are counted and shown, and the rest is kept', async () => {
    const { report } = await read(csv('id,text', ...good, '77,a, b', '78,after'), 'a.csv')
    expect(report).toMatchObject({ kept: 31, dropped: { odd: 1 }, examples: { odd: [{ line: 32, text: expect.stringContaining('3 cells where 2 are named') }] } })
  })

  test('of undoubled, escaped and extra marks are read', async () => {
    expect(await texts(csv('a;text;b', '"1";"he said "no" and left; I stayed";"x"'), 'a.csv')).toEqual(['he said "no" and left; I stayed'])
    expect(await texts(csv('a,text,b', '1,"he said \\"no\\" and left, I stayed",x', '2,"so \\"he\\" said",y'), 'a.csv')).toEqual(['he said "no" and left, I stayed', 'so "he" said'])
    expect(await texts(csv('"id","text","links"', '"1","two, three","x","y"'), 'a.csv')).toEqual(['two, three'])
  })

  test('at the end of a file that a stopped program has left do no harm, nor do a stream’s notices', async () => {
    expect(await texts('{"text":"two"}\n{"text":"one"}\n{"text":"hal', 'a.jsonl')).toEqual(['two', 'one'])
    expect(await texts('[\n{"text":"a"},\n{"text":"b"}\n', 'a.json')).toEqual(['a', 'b'])
    expect(await texts(lines({ text: 'one' }, { limit: { track: 5 } }, { delete: { status: { id: 1 } } }), 'a.jsonl')).toEqual(['one'])
  })

  test('that are more than a tenth refuse the file', async () => {
    expect(await refusal(csv('id,text', ...good.slice(0, 5), '6,a, b'), 'a.csv')).toMatch(/^Line 7 has 3 cells/)
  })
})

describe('containers', () => {
  test.each([
    ['data', '{"data": [{"text": "a"}, {"text": "b"}], "includes": {"tweets": [{"text": "of another"}]}}'],
    ['statuses, over several lines', '{\n "statuses": [\n  {\n   "text": "a"\n  },\n  {"text": "b"}\n ],\n "meta": {}\n}'],
    ['a page a line', '{"data":[{"text":"a"}]}\n{"data":[{"text":"b"}]}\n'],
    ['values one after another', '{"text":"a"}{"text":"b"}'],
    ['lists one after another', '[{"text":"a"}]\n[{"text":"b"}]'],
    ['GraphQL’s', '[{"rest_id":"2","legacy":{"full_text":"a"}},{"rest_id":"1","legacy":{"full_text":"b"}}]'],
    ['an object inside an object', '{"data": {"tweets": [{"text":"a"},{"text":"b"}]}}']
  ])('of JSON are opened: %s', async (_, json) => {
    expect(await texts(json, 'a.json')).toEqual(['a', 'b'])
  })

  test('of JSON are opened wherever a chunk of the file ends', async () => {
    for (const fill of [16_330, 16_350, 16_360, 16_370, 16_380]) {
      const json = JSON.stringify({ meta: 'x'.repeat(fill), statuses: [{ text: 'a' }, { text: 'b "c", [d' }] })
      expect(await texts(json, 'a.json')).toEqual(['a', 'b "c", [d'])
    }
  })

  test('of X’s older archives are read', async () => {
    const month = `Grailbird.data.tweets_2012_11 = \n${JSON.stringify([{ id_str: '1', text: 'leaves' }])}`
    expect(await texts(month, '2012_11.js')).toEqual(['leaves'])
    expect(await texts(zip([{ name: 'data/js/tweets/2012_11.js', data: month }, { name: 'tweets.csv', data: 'text\nleaves\n' }]), 'a.zip')).toEqual(['leaves'])
    expect(await texts('module.exports = [{"text": "tea"}];', 'tweets.js')).toEqual(['tea'])
  })

  test('hold other files of one’s own posts', async () => {
    const part = (name: string, text: string) => ({ name: `data/${name}.js`, data: archivePart([{ full_text: text }]).replace('tweets', name.replaceAll('-', '_')) })
    const archive = zip([part('tweets', 'profile'), part('community-tweet', 'community'), part('twitter-circle-tweet', 'circle'), part('deleted-tweets', 'deleted')])
    expect((await texts(archive, 'a.zip')).sort()).toEqual(['circle', 'community', 'profile'])
  })

  test('of others are opened: gzip, a zip of CSV or JSON', async () => {
    expect(await texts(gzipSync('{"text":"a"}\n{"text":"b"}\n'), 'a.jsonl.gz')).toEqual(['a', 'b'])
    expect(await texts(zip([{ name: 'dump/tweets.csv', data: 'text\na\nb\n' }, { name: '__MACOSX/dump/._tweets.csv', data: 'x' }]), 'a.zip')).toEqual(['a', 'b'])
  })

  test('of other programs are refused with what to do', async () => {
    expect(await refusal(zip([{ name: 'xl/workbook.xml', data: '<x/>' }]), 'a.xlsx')).toMatch(/Excel workbook.*CSV UTF-8/)
    expect(await refusal(gzipSync('text').subarray(0, 12), 'a.gz')).toMatch(/compressed file is damaged/)
  })
})

describe('notations', () => {
  test.each([
    ['entities', 'it&#8217;s caf&eacute; &amp;amp; &hellip;', 'it’s café &amp; …'],
    ['Python’s bytes', String.raw`b'Don\xe2\x80\x99t\nstop'`, 'Don’t\nstop'],
    ['Python’s bytes in other marks', `b"it's"`, "it's"]
  ])('of %s are decoded', async (_, typed, meant) => {
    expect(await texts(`${typed}\n`, 'a.txt')).toEqual([meant])
  })

  test('of Python’s records are read', async () => {
    expect(await texts(`{'id_str': '2', 'text': 'two', 'retweeted': False}\n{'id_str': '1', 'text': "it's one", 'user': None}\n`, 'a.txt')).toEqual(['two', "it's one"])
  })
})

describe('other networks', () => {
  test('Mastodon’s outbox.json, Bluesky’s records and feeds hold own posts, answers and reposts', async () => {
    const note = (content: string, inReplyTo: string | null = null) => ({ type: 'Create', object: { type: 'Note', content, inReplyTo } })
    const outbox = { type: 'OrderedCollection', orderedItems: [note('<p>one<br>of &quot;two&quot;</p>'), { type: 'Announce', object: 'https://example.org/1' }, note('<p>no</p>', 'https://example.org/2')] }
    expect(await texts(JSON.stringify(outbox, null, 1), 'outbox.json')).toEqual(['one\nof "two"'])
    const record = (text: string, reply?: object) => ({ uri: 'at://did:plc:me/app.bsky.feed.post/3', value: { $type: 'app.bsky.feed.post', text, ...(reply && { reply }) } })
    expect(await texts(JSON.stringify([record('sky'), record('no', { parent: { uri: 'at://did:plc:you/x' } })]), 'a.json')).toEqual(['sky'])
    const feed = '<?xml version="1.0"?><rss><channel><item><title>RT by @me: no</title></item><item><title>R to @you: no</title></item><item><title>Mine &amp; mine</title></item></channel></rss>'
    expect(await texts(feed, 'a.rss')).toEqual(['Mine & mine'])
  })
})
