export default function (config) {
  config.addPassthroughCopy("style.css");
  config.ignores.add("README.md");
  return { markdownTemplateEngine: "njk" };
}
