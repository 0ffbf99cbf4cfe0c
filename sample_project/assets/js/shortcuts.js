// A classic script with `defer`. A slash goes to the search field, unless one is being typed somewhere.
document.addEventListener("keydown", (event) => {
  const typing = /^(?:input|textarea|select)$/i.test(event.target.nodeName);
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
  const field = document.querySelector("[data-search]");
  if (!field) return;
  event.preventDefault();
  field.focus();
});
document.documentElement.dataset.shortcuts = "ready";
