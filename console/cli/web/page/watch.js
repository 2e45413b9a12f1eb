// Begins textual-serve's terminal once its font is there, since its cells are measured once and never again; tells it
// where it is served from; gives it the keys.
"use strict";

(() => {
  const faces = ["15px 'Roboto Mono'", "bold 15px 'Roboto Mono'", "italic 15px 'Roboto Mono'"];
  const begin = window.onload;

  window.onload = async (event) => {
    const here = new URL("ws", window.location.href);
    here.protocol = "ws:";
    here.search = here.hash = "";
    const terminal = document.getElementById("terminal");
    terminal.dataset.sessionWebsocketUrl = here.href;
    document.getElementById("again").addEventListener("click", () => window.location.reload());
    await Promise.all(faces.map((face) => document.fonts.load(face)));
    takeKeysOnceConnected(terminal);
    begin(event);
  };

  // The terminal tells the server of its focus, which only can be told once there is a connection.
  function takeKeysOnceConnected(terminal) {
    new MutationObserver((_, observer) => {
      if (!document.body.classList.contains("-loaded")) return;
      observer.disconnect();
      terminal.querySelector("textarea").focus();
    }).observe(document.body, { attributeFilter: ["class"] });
  }
})();
