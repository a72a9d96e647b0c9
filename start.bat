@echo off
rem Installs TuneDesk into .venv on the first run and starts it. Options are handed to app.py.
setlocal
cd /d "%~dp0"
if exist .venv\installed.txt (
  fc /b requirements.txt .venv\installed.txt >nul 2>&1 && goto start
)
py -3.11 -c "" >nul 2>&1 && set "PYTHON=py -3.11"
if not defined PYTHON set "PYTHON=python"
%PYTHON% -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" >nul 2>&1
if errorlevel 1 (
  echo TuneDesk needs Python 3.11 to 3.13. Install it from python.org and run this again.
  exit /b 2
)
echo Installing the packages into .venv, 2 GB and more; only this once ...
if not exist .venv\Scripts\python.exe %PYTHON% -m venv .venv || exit /b 1
.venv\Scripts\python.exe -m pip install --disable-pip-version-check -r requirements.txt || exit /b 1
copy /y requirements.txt .venv\installed.txt >nul
:start
.venv\Scripts\python.exe app.py %*
