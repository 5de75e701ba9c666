// Times in the zone of whoever looks, with UTC beside. The page says the same without this, in UTC alone.
"use strict";
{
  const two = (n) => String(n).padStart(2, "0");
  const day = (t) => `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
  const clock = (t) => `${two(t.getHours())}:${two(t.getMinutes())}`;
  let turned = false;
  for (const element of document.querySelectorAll("time[datetime*=T]")) {
    const time = new Date(element.dateTime);
    if (Number.isNaN(time.getTime()) || time.getTimezoneOffset() === 0) continue;
    const utc = element.textContent.trim();
    const here = day(time);
    // The day in UTC is said where it is another one.
    element.textContent = `${here} ${clock(time)} (${utc.startsWith(here) ? utc.slice(11) : utc} UTC)`;
    turned = true;
  }
  if (turned) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    document.getElementById("zone").textContent = `times are in ${zone}, UTC beside; days in filters begin at midnight UTC`;
  }
}
