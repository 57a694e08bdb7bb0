import tseslint from "typescript-eslint";

const ENGINE = "only src/host/ may: code elsewhere runs on QuickJS too, and reaches the system through a Host";

/** What Node has and plain ECMAScript has not. */
const nodeGlobals = [
  "Buffer",
  "process",
  "require",
  "module",
  "__dirname",
  "__filename",
  "global",
  "setImmediate",
  "clearImmediate",
  "Intl",
  "EventEmitter",
  "EventTarget",
  "Event",
  "DOMException",
  "fetch",
  "URL",
  "URLSearchParams",
  "structuredClone",
  "performance",
  "crypto",
  "btoa",
  "atob",
  "navigator",
  "WebSocket",
  "Worker",
  "ReadableStream",
  "WritableStream",
];

export default tseslint.config(
  { ignores: ["build/", "node_modules/", ".tap/", "files/", "native/"] },
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
  },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-floating-promises": ["error", { checkThenables: true }],
      "@typescript-eslint/parameter-properties": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "@typescript-eslint/prefer-readonly": "error",
      "@typescript-eslint/only-throw-error": ["error", { allowThrowingUnknown: true }],
      "@typescript-eslint/prefer-promise-reject-errors": ["error", { allowThrowingUnknown: true, allowThrowingAny: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // An async function that waits for nothing still turns a throw into a rejection, as its interface says.
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" }],
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-eval": "error",
      "no-implied-eval": "off",
      "no-restricted-syntax": [
        "error",
        { selector: "TSEnumDeclaration", message: "A union of literals says the same and leaves nothing behind." },
      ],
    },
  },
  {
    files: ["src/**/*.ts"],
    ignores: ["src/host/node.ts", "src/host/node/**", "src/host/quickjs.ts", "src/host/quickjs/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ regex: "^(?!\\.{1,2}/|#host$|mri$)", message: `No packages but mri: ${ENGINE}.` }] },
      ],
      "no-restricted-globals": ["error", ...nodeGlobals.map((name) => ({ name, message: `Use of ${name}: ${ENGINE}.` }))],
      "no-restricted-properties": [
        "error",
        ...["Buffer", "process", "fetch", "Intl", "require"].map((property) => ({ object: "globalThis", property, message: ENGINE })),
      ],
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-explicit-any": "error",
    },
  },
  {
    files: ["src/host/globals.d.ts"],
    // `let` in a declaration would not make a property of globalThis.
    rules: { "no-var": "off" },
  },
  {
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: { "@typescript-eslint/explicit-module-boundary-types": "off" },
  },
);
