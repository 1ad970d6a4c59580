/** The one style of all pages, light and dark, which the content security policy names by its hash. */
export const style = `:root{color-scheme:light dark;--ground:#eef1f6;--card:#fff;--text:#1b1f27;--quiet:#4c5463;--line:#6f7786;--blue:#0b57d0;--deep:#0842a0;--on:#fff;--alert:#b3261e}
@media (prefers-color-scheme:dark){:root{--ground:#12151b;--card:#1c2129;--text:#eceff4;--quiet:#b4bcc9;--line:#8b94a3;--blue:#a8c7fa;--deep:#d3e3fd;--on:#062e6f;--alert:#f2b8b5}}
*{box-sizing:border-box}
body{font:1rem/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;color:var(--text);background:var(--ground)}
main{width:100%;max-width:28rem;padding:2.5rem;border-radius:1rem;background:var(--card);box-shadow:0 1px 3px #0003,0 8px 24px #0001;overflow-wrap:anywhere}
@media (max-width:30rem){main{padding:1.5rem}}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1.5rem}h2{font-size:1.125rem;line-height:1.25;margin:0 0 1rem}p{margin:0 0 1rem}main>:last-child{margin-bottom:0}.product{margin:0 0 .25rem;font-size:.875rem;font-weight:600;color:var(--blue)}
[role=alert]{padding-left:.75rem;border-left:.25rem solid var(--alert)}
dl{margin:0 0 1.5rem}dt,label{font-size:.875rem;color:var(--quiet)}dd{margin:0 0 1rem}code{font-size:.875rem}
ul{list-style:none;margin:0 0 1.5rem;padding:0}li+li{margin-top:.75rem}
input{font:inherit;color:inherit;width:100%;margin-top:.25rem;padding:.625rem .75rem;border:1px solid var(--line);border-radius:.5rem;background:var(--card)}
a{color:var(--blue)}li a{display:block;padding:.75rem 1rem;border:1px solid var(--line);border-radius:.5rem;text-decoration:none;font-weight:600}
button,.button{font:inherit;display:block;text-align:center;text-decoration:none;font-weight:600;width:100%;padding:.75rem 1rem;border:0;border-radius:.5rem;color:var(--on);background:var(--blue);cursor:pointer}
button:hover,.button:hover{background:var(--deep)}.quiet,.quiet:hover{color:var(--blue);background:none;border:1px solid var(--line)}.quiet:hover{border-color:var(--blue)}li a:hover{border-color:var(--blue)}
a:focus-visible,button:focus-visible,input:focus-visible{outline:3px solid var(--text);outline-offset:2px}`;
