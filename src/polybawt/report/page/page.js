"use strict";
// Draws the figures of the data tag. Texts reach the page as text only, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const coarse = matchMedia("(pointer: coarse)");
  const config = {
    responsive: true,
    displayModeBar: false,
  };

  // Figures name colours of the style sheet; a copy gets their value for this colour scheme.
  const coloured = (value, style) => {
    if (typeof value === "string") {
      const name = /^var\((--[a-z]+)\)$/.exec(value);
      return name ? style.getPropertyValue(name[1]).trim() : value;
    }
    if (Array.isArray(value)) return value.map((item) => coloured(item, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v, style)]));
  };

  const draw = (element, figure) => {
    const style = getComputedStyle(document.documentElement);
    const shown = coloured(figure, style);
    const narrow = element.clientWidth < 560;
    const layout = shown.layout;
    for (const key of Object.keys(layout).filter((name) => /^[xy]axis/.test(name))) {
      layout[key] = {
        gridcolor: style.getPropertyValue("--rule").trim(),
        zerolinecolor: style.getPropertyValue("--muted").trim(),
        zeroline: false,
        automargin: true,
        ...(narrow && key.startsWith("x") ? { nticks: 5 } : {}),
        ...layout[key],
      };
    }
    Plotly.react(element, shown.data, {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: {
        family: getComputedStyle(document.body).fontFamily,
        size: 12,
        color: style.getPropertyValue("--ink").trim(),
      },
      hoverlabel: { align: "left" },
      margin: { l: 56, r: 12, t: 14, b: 36 },
      legend: { orientation: "h", x: 0, y: 1.02, xanchor: "left", yanchor: "bottom" },
      dragmode: coarse.matches ? false : "zoom",
      ...layout,
    }, config);
  };

  const select = document.getElementById("window");
  const drawWindow = () => {
    const chosen = data.windows[Number(select.value)];
    draw(document.getElementById("path"), chosen.figure);
    const rows = chosen.fills.map((fill) => {
      const row = document.createElement("tr");
      for (const text of fill) row.insertCell().textContent = text.replace(/^-(?=\d)/, "\u2212");
      return row;
    });
    document.querySelector("#fills tbody").replaceChildren(...rows);
  };

  const drawAll = () => {
    for (const element of document.querySelectorAll("[data-figure]")) {
      const figure = data.figures[element.dataset.figure];
      if (figure) draw(element, figure);
    }
    if (select) drawWindow();
  };

  drawAll();
  if (select) select.addEventListener("change", drawWindow);
  dark.addEventListener("change", drawAll);
})();
