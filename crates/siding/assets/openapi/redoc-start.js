Redoc.init("openapi.json", { showExtensions: true }, document.getElementById("page"));
