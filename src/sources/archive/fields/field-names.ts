// Where files keep what is read of a record: the one place to extend when a program names its fields in another way.
// docs/imports.md has an example.
//
// A name is compared by its letters only, in lower case: created_at, createdAt and "Created at" are the same. A dot leads into
// an object (`user.screen_name`); in CSV it is part of the column's name, as is "/" or "__". Of several names the first that is
// filled counts.

/** The names of each field, the best first. */
export const FIELDS = {
  /** The whole text of a post that stands cut in `text`. */
  longText: ['note_tweet.text', 'note_tweet.note_tweet_results.text', 'noteTweet.core.text', 'note_tweet_text', 'extended_tweet.full_text'],
  text: [
    'full_text', 'rawContent', 'tweet_text', 'post_text', 'status_text', 'text', 'tweet', 'OriginalTweet', 'tweets', 'content', 'message', 'body',
    'post', 'status', 'caption', 'tweet_content', 'post_content', 'tweet_body'
  ],
  /** A text with HTML in it. */
  html: ['object.content', 'content_html', 'html', 'text_html'],
  id: ['id_str', 'id', 'tweet_id', 'tweet_id_str', 'status_id', 'post_id', 'rest_id', 'noteTweet.noteTweetId'],
  date: [
    'created_at', 'created', 'date', 'timestamp', 'timestamp_ms', 'datetime', 'tweet_time', 'TweetAt', 'tweet_date', 'tweet_created', 'tweet_created_at', 'publish_date', 'published',
    'published_at', 'publication_date', 'pubDate', 'post_date', 'posted', 'posted_at', 'date_posted', 'created_date', 'creation_date', 'created_time', 'created_utc',
    'noteTweet.createdAt', 'object.published', 'indexed_at', 'epoch', 'timestamp_epochs', 'time', 'day'
  ],
  author: [
    'screen_name', 'user.screen_name', 'author.username', 'user.username', 'core.user_results.screen_name', 'author.screen_name', 'author.handle', 'user.handle', 'user_screen_name', 'author_username',
    'author_handle', 'user_username', 'handle', 'account.acct', 'account.username', 'acct', 'username', 'user_handle', 'author', 'user', 'account', 'author.name', 'name@'
  ],
  authorId: ['user.id_str', 'user.id', 'author_id', 'author.id', 'author.did', 'user_id_str', 'user_id', 'account.id', 'actor'],
  /** Says by yes or no, or in a word, that the post is a repost of another's. */
  repostFlag: [
    'retweet', 'is_retweet', 'isRT', 'is_repost', 'repost', 'is_reblog', 'retweeted', 'sourcetweet_type', 'tweet_type', 'post_type', 'type', 'referenced_tweet_type', 'ref_type'
  ],
  /** Is filled, with an id, a name, a text or an object, where the post is a repost. What begins with `retweeted_status` is one too. */
  repostOf: [
    'retweet_user_id', 'retweet_tweet_id', 'retweet_id', 'retweet_status_id', 'retweeted_tweet', 'retweeted_tweet_id',
    'retweet_text', 'retweet_screen_name', 'retweeted_from', 'retweeted_user', 'rt_user_id', 'reblog', 'reblog_of_id', 'referenced_tweets.retweeted', 'referenced_tweets.retweeted.id', 'repost_of'
  ],
  replyFlag: ['is_reply', 'is_reply_to', 'reply'],
  /** The post, the person's id and the person's name that the post answers. */
  replyToPost: [
    'in_reply_to_status_id_str', 'in_reply_to_status_id', 'in_reply_to_tweet_id', 'reply_to_status_id', 'reply_to_tweet_id', 'parent_tweet_id', 'in_reply_to',
    'referenced_tweets.replied_to', 'referenced_tweets.replied_to.id', 'object.inReplyTo', 'in_reply_to_id', 'reply.parent.uri'
  ],
  replyToId: ['in_reply_to_user_id_str', 'in_reply_to_user_id', 'reply_to_user_id', 'in_reply_to_account_id', 'in_reply_to_user.id'],
  replyToName: ['in_reply_to_screen_name', 'in_reply_to_user.username', 'in_reply_to_username', 'reply_to_screen_name', 'reply_to_username', 'reply_to_users', 'reply_to'],
  /** Posts that the post refers to, each with its kind. */
  references: ['referenced_tweets', 'reason'],
  /** Which ids a post has had, one for each version. */
  versions: ['edit_history_tweet_ids', 'edit_info.initial.editTweetIds', 'edit_info.edit.editControlInitial.editTweetIds', 'edit_control.edit_tweet_ids', 'editTweetIds'],
  /** How often others have reposted the post: where it stands, `retweeted` says that one has done so oneself. */
  repostCount: ['retweet_count', 'retweets', 'public_metrics.retweet_count'],
  address: ['url', 'uri', 'permalink', 'link', 'tweet_url', 'post_link'],
  exportedBy: ['exported_by']
} as const satisfies Record<string, readonly string[]>

export type Field = keyof typeof FIELDS

/** Objects around a record or a part of it that do not count as a part of the fields' names. */
export const WRAPPERS = new Set(['tweet', 'communitytweet', 'legacy', 'result', 'tweetresults', 'itemcontent', 'content', 'value', 'record', 'post', 'data', 'status'])

/** Begins the name of what a repost repeats. */
export const REPOSTED = 'retweetedstatus'

/** How a name is compared. */
export function plainName(name: string): string {
  return name.toLowerCase().split(/[./]|__/).map((part) => part.replace(/[^a-z@]/g, '')).filter(Boolean).join('.')
}

export interface KnownName {
  field: Field
  /** 0 for the best name of the field. */
  rank: number
}

const KNOWN = new Map<string, KnownName>(
  Object.entries(FIELDS).flatMap(([field, names]) => names.map((name, rank): [string, KnownName] => [plainName(name), { field: field as Field, rank }])).reverse()
)

/** Objects in which known fields lie. */
export const INSIDE = new Set([...KNOWN.keys()].flatMap((name) => name.split('.').slice(0, -1).map((_, i, parts) => parts.slice(0, i + 1).join('.'))))

/** What a plain name is; undefined for one that is not read. */
export const knownName = (plain: string): KnownName | undefined => KNOWN.get(plain)

/** Whether a column or a field of this name may hold texts of posts. */
export const isTextName = (name: string): boolean => {
  const field = KNOWN.get(plainName(name))?.field
  return field === 'text' || field === 'longText'
}
