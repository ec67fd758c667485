import tseslint from "typescript-eslint";

export default tseslint.config(
  ...tseslint.configs.strict,
  { ignores: ["dist/", "node_modules/"] },
  {
    files: ["**/*.{ts,tsx}"],
    rules: {
      "max-lines": ["error", { max: 600 }],
      "max-lines-per-function": ["error", { max: 80, skipBlankLines: true, skipComments: true }],
      eqeqeq: "error",
      "no-console": "error",
      "prefer-const": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      // A promise that nobody waits for is marked with `void`.
      "@typescript-eslint/no-confusing-void-expression": "off",
    },
  },
);
