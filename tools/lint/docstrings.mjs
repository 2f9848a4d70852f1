// The house's own ESLint rule: a docstring begins with a noun or a third-person verb, so a reader learns from its first
// words which thing it describes.
/** Matches a description that begins like a question. */
export const QUESTION_WORDS = /^(?:what|whether|how|so many|where|who|when)\b/i;

/** Description in a JSDoc comment, without asterisks and without a tag in front of it such as `@internal`. */
const descriptionOf = (comment) =>
  comment.value
    .replace(/^\s*\*+ ?/gm, '')
    .trim()
    .replace(/^@\w+\s+/, '');

const opening = {
  meta: {
    type: 'suggestion',
    docs: { description: 'Docstrings begin with a noun or a third-person verb.' },
    messages: {
      opening:
        'The docstring begins with "{{words}}"; begin with a noun or a third-person verb ("Limits on ...", "Encrypts ...").',
    },
    schema: [],
  },
  create({ sourceCode, report }) {
    return {
      Program() {
        for (const comment of sourceCode.getAllComments()) {
          if (comment.type !== 'Block' || !comment.value.startsWith('*')) continue;
          const words = QUESTION_WORDS.exec(descriptionOf(comment))?.[0];
          if (words !== undefined) report({ loc: comment.loc, messageId: 'opening', data: { words } });
        }
      },
    };
  },
};

export default { rules: { opening } };
